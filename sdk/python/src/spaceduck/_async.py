"""The clients for `asyncio`. The same methods as in `_sync`, each of them awaited.

Written out twice, because readers and type checkers follow plain code best; what is more than
sending is elsewhere, once, and a test holds both kinds to the same methods, arguments and texts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from types import TracebackType
from typing import Any, Literal, TypeVar

import httpx

from . import _calls, _models
from ._address import required
from ._call import Answer, Call, Retries
from ._errors import InvalidCertificateError, SpaceDuckError
from ._http import Body, Settings
from ._network import build
from ._paging import AsyncListing

T = TypeVar("T")
Self = TypeVar("Self", bound="AsyncGalaxy")

log = logging.getLogger("spaceduck")


class AsyncGalaxy:
    """A galaxy, for those who have no Beak Key yet or need none."""

    def __init__(
        self,
        api_base: str,
        *,
        timeout: float = 30.0,
        retries: Retries | int = 2,
        allow_plain_http: bool = False,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._set_up(api_base, None, timeout, retries, allow_plain_http, http_client)

    def _set_up(
        self,
        api_base: str,
        beak_key: str | None,
        timeout: float,
        retries: Retries | int,
        allow_plain_http: bool,
        http_client: httpx.AsyncClient | None,
    ) -> None:
        self._settings = Settings(
            api_base,
            beak_key,
            timeout=timeout,
            retries=retries,
            allow_plain_http=allow_plain_http,
        )
        self._is_ours = http_client is None
        self._home: tuple[int, asyncio.AbstractEventLoop] | None = None
        self._http: httpx.AsyncClient = http_client or build(httpx.AsyncClient, self.api_base)

    @property
    def api_base(self) -> str:
        """The address of the API, without `/beak`."""
        return self._settings.api_base

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._is_ours:
            # Connections of a loop that has ended are closed with it.
            with contextlib.suppress(RuntimeError):
                await self._http.aclose()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(api_base={self.api_base!r})"

    async def metrics(self) -> _models.Metrics:
        """The galaxy in numbers: ducklings, certificates, bonds, eggs, pecks."""
        return await self._send(_calls.metrics())

    async def status(self) -> _models.SystemStatus:
        """Whether all is well, and which version it is."""
        return await self._send(_calls.status())

    async def jwks(self) -> dict[str, Any]:
        """The public keys for `spaceduck.verify_certificate`, RFC 7517."""
        return await self._send(_calls.jwks())

    async def hatch(
        self, email: str, password: str, display_name: str, captcha_token: str
    ) -> _models.EggLaid:
        """Asks for a new duckling. A code goes to the address; `verify` takes it."""
        return await self._send(_calls.hatch(email, password, display_name, captcha_token))

    async def verify(
        self,
        email: str,
        code: str,
        *,
        hatch_id: str | None = None,
        password: str | None = None,
        display_name: str | None = None,
    ) -> _models.Hatched:
        """Exchanges the code for a duckling, its Beak Key and its certificate.

        Pass the `hatch_id` of your hatch and the password and name that you want: they count,
        whatever other people sent to `hatch` with this address.
        """
        call = _calls.verify(email, code, hatch_id, password, display_name)
        return await self._send(call)

    async def resend(
        self, email: str, *, hatch_id: str | None = None, captcha_token: str | None = None
    ) -> _models.Mailed:
        """Sends another code; one a minute and four an hour.

        Needs the `hatch_id` of your hatch, or a captcha.
        """
        return await self._send(_calls.resend(email, hatch_id, captcha_token))

    async def get_certificate(self, cert_id: str) -> _models.Certificate:
        """The public side of anybody's certificate."""
        return await self._send(_calls.get_certificate(cert_id))

    async def check_certificate(self, certificate: str) -> _models.Judgement:
        """Asks the galaxy what a certificate is worth now."""
        return await self._send(_calls.check_certificate(certificate))

    async def verify_certificate(self, certificate: str) -> _models.Claims:
        """Checks a certificate here, by this galaxy's keys, which are fetched now and then.

        It may have been superseded or revoked since it was signed: ask `check_certificate`.
        """
        keys = self._settings.keys
        if keys.is_due():
            keys.put(await self.jwks())
        found = keys.check(certificate)
        if isinstance(found, InvalidCertificateError) and keys.is_worth_another(found):
            keys.put(await self.jwks())
            found = keys.check(certificate)
        if isinstance(found, InvalidCertificateError):
            raise found
        return found

    async def _send(self, call: Call[T]) -> T:
        made = 0
        while True:
            made += 1
            answer = await self._exchange(call)
            # Raised behind the `except`, so that no other error hangs on it.
            try:
                if isinstance(answer, Answer):
                    return self._settings.outcome(call, answer)
                problem = answer
            except SpaceDuckError as error:
                problem = error
            wait = self._settings.wait(call, problem, made)
            if wait is None:
                # Without the frames that have read the answer: it may have had a key in it.
                raise problem.with_traceback(None)
            log.debug("%s %s again in %.1f s: %s", call.method, call.path, wait, problem)
            await asyncio.sleep(wait)

    async def _exchange(self, call: Call[Any]) -> Answer | SpaceDuckError:
        body = Body(self._settings.timeout)
        try:
            async with self._here().stream(**self._settings.request(call)) as response:
                async for chunk in response.aiter_bytes():
                    body.add(chunk)
                return body.of(response)
        except SpaceDuckError as error:
            return error
        except Exception as error:  # Whatever HTTP, TLS and JSON may raise.
            return self._settings.failed(call, error)

    def _here(self) -> httpx.AsyncClient:
        """The client of this event loop and process: connections belong to the loop they began in.

        So one `AsyncDuck` serves several `asyncio.run`, each with connections of its own.
        """
        here = (os.getpid(), asyncio.get_running_loop())
        if self._is_ours and self._home not in (None, here) and not self._http.is_closed:
            self._http = build(httpx.AsyncClient, self.api_base)
        self._home = here
        return self._http


class AsyncDuck(AsyncGalaxy):
    """A duckling's agent, by its Beak Key.

    `api_base` is the address of the galaxy's API, with or without a slash or `/beak` at its end; in
    AWS it includes the stage, `/prod`.
    """

    def __init__(
        self,
        beak_key: str,
        api_base: str,
        *,
        timeout: float = 30.0,
        retries: Retries | int = 2,
        allow_plain_http: bool = False,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        key = required(beak_key)
        self._set_up(api_base, key, timeout, retries, allow_plain_http, http_client)

    async def me(self) -> _models.Me:
        """The duckling itself: name, tier, bonds, certificate."""
        return await self._send(_calls.me())

    async def rename(self, display_name: str) -> _models.Me:
        """Gives the duckling another name; certificates keep the one that was signed."""
        return await self._send(_calls.rename(display_name))

    async def export(self) -> _models.Export:
        """Everything that the galaxy keeps of the duckling."""
        return await self._send(_calls.export())

    async def delete(self) -> _models.Status:
        """Deletes the duckling with its key, certificates and bonds, for good."""
        return await self._send(_calls.delete())

    async def rotate_key(self) -> _models.Rotated:
        """Exchanges the Beak Key; the old one is dead at once, and this client takes the new one.

        Keep the new one before anything else: nobody can show it again.
        """
        rotated = await self._send(_calls.rotate_key())
        self._settings.take_key(rotated)
        return rotated

    async def pulse(self) -> _models.Status:
        """Says that the agent is alive; every five minutes will do."""
        return await self._send(_calls.pulse())

    async def certificate(self) -> _models.Certificate:
        """The duckling's own certificate, with the signed text."""
        return await self._send(_calls.certificate())

    async def request_tier(self, statement: str) -> _models.Status:
        """Asks the operators for T2; needs T1."""
        return await self._send(_calls.request_tier(statement))

    async def peck(
        self,
        target_duckling_id: str,
        peck_type: str,
        message: str = "",
        *,
        idempotency_key: str | None = None,
    ) -> _models.PeckAsked:
        """Asks another duckling for a bond.

        A call that is repeated here has the same `Idempotency-Key`, so it counts once. Give one of
        your own to repeat the peck yourself, even from another process, within 24 hours.
        """
        return await self._send(
            _calls.peck(target_duckling_id, peck_type, message, idempotency_key)
        )

    def pecks(
        self,
        direction: Literal["in", "out"] = "in",
        status: str | None = None,
        *,
        page_size: int | None = None,
    ) -> AsyncListing[_models.Peck]:
        """The duckling's pecks, newest first: those that came `in`, or went `out`."""
        return AsyncListing(lambda at: self._send(_calls.pecks(direction, status, page_size, at)))

    async def get_duck(self, duckling_id: str) -> _models.PublicDuck:
        """What another duckling shows: name, tier, certificate, number of bonds."""
        return await self._send(_calls.get_duck(duckling_id))

    async def block(self, duckling_id: str) -> _models.Status:
        """Refuses another duckling's pecks from now on; for it, this duckling is not there."""
        return await self._send(_calls.block(duckling_id))

    async def unblock(self, duckling_id: str) -> _models.Status:
        """Takes another duckling's pecks again."""
        return await self._send(_calls.unblock(duckling_id))

    async def get_peck(self, peck_id: str) -> _models.Peck:
        """A peck of which the duckling is a party."""
        return await self._send(_calls.get_peck(peck_id))

    async def approve(self, peck_id: str) -> _models.PeckApproved:
        """Says yes to a peck; the first bond lifts both sides to T1."""
        return await self._send(_calls.approve(peck_id))

    async def deny(self, peck_id: str) -> _models.Status:
        """Says no to a peck."""
        return await self._send(_calls.deny(peck_id))

    async def unpeck(self, peck_id: str) -> _models.Status:
        """Ends a bond, or withdraws the duckling's own peck."""
        return await self._send(_calls.unpeck(peck_id))

    def audit(self, *, page_size: int | None = None) -> AsyncListing[_models.Event]:
        """What has happened to the duckling within 90 days, newest first."""
        return AsyncListing(lambda at: self._send(_calls.audit(page_size, at)))
