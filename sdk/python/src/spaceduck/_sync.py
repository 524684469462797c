"""The clients that wait. `python tests/sync.py` makes this file of `_async.py`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TypeVar

import httpx

from . import _calls, _models
from ._address import AccessToken, BeakKey
from ._call import Answer, Call, Retries
from ._errors import (
    InvalidCertificateError,
    SecondFactorRequiredError,
    SpaceDuckError,
    UnauthorizedError,
)
from ._http import Settings
from ._paging import Listing
from ._wire import Wire

T = TypeVar("T")
Self = TypeVar("Self", bound="Galaxy")

log = logging.getLogger("spaceduck")


class Galaxy:
    """A galaxy, for those who have no Beak Key yet or need none."""

    def __init__(
        self,
        api_base: str,
        *,
        timeout: float = 30.0,
        retries: Retries | int = 2,
        allow_plain_http: bool = False,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._set_up(api_base, None, timeout, retries, allow_plain_http, http_client)

    def _set_up(
        self,
        api_base: str,
        key: BeakKey | AccessToken | None,
        timeout: float,
        retries: Retries | int,
        allow_plain_http: bool,
        http_client: httpx.Client | None,
    ) -> None:
        self._settings = Settings(
            api_base,
            key,
            timeout=timeout,
            retries=retries,
            allow_plain_http=allow_plain_http,
        )
        self._wire = Wire(self._settings, http_client)

    @property
    def api_base(self) -> str:
        """The address of the API, without `/beak`."""
        return self._settings.api_base

    def close(self) -> None:
        """Closes the connections."""
        self._wire.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(api_base={self.api_base!r})"

    def metrics(self) -> _models.Metrics:
        """The galaxy in numbers: ducklings, certificates, bonds, eggs, pecks."""
        return self._send(_calls.metrics())

    def status(self) -> _models.SystemStatus:
        """Whether all is well, and which version it is."""
        return self._send(_calls.status())

    def jwks(self) -> dict[str, Any]:
        """The public keys for `spaceduck.verify_certificate`, RFC 7517."""
        return self._send(_calls.jwks())

    def hatch(
        self, email: str, password: str, display_name: str, captcha_token: str
    ) -> _models.EggLaid:
        """Asks for a new duckling. A code goes to the address; `verify` takes it."""
        return self._send(_calls.hatch(email, password, display_name, captcha_token))

    def verify(
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
        return self._send(call)

    def resend(
        self, email: str, *, hatch_id: str | None = None, captcha_token: str | None = None
    ) -> _models.Mailed:
        """Sends another code; one a minute and four an hour.

        Needs the `hatch_id` of your hatch, or a captcha.
        """
        return self._send(_calls.resend(email, hatch_id, captcha_token))

    def get_certificate(self, cert_id: str) -> _models.Certificate:
        """The public side of anybody's certificate."""
        return self._send(_calls.get_certificate(cert_id))

    def check_certificate(self, certificate: str) -> _models.Judgement:
        """Asks the galaxy what a certificate is worth now."""
        return self._send(_calls.check_certificate(certificate))

    def verify_certificate(self, certificate: str) -> _models.Claims:
        """Checks a certificate here, by this galaxy's keys, which are fetched now and then.

        It may have been superseded or revoked since it was signed: ask `check_certificate`.
        """
        keys = self._settings.keys
        if keys.is_due():
            keys.put(self.jwks())
        found = keys.check(certificate)
        if isinstance(found, InvalidCertificateError) and keys.is_worth_another(found):
            keys.put(self.jwks())
            found = keys.check(certificate)
        if isinstance(found, InvalidCertificateError):
            raise found
        return found

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of the galaxy's API."""
        return self._send(_calls.openapi())

    def subscribe(self, email: str, captcha_token: str) -> _models.Mailed:
        """Offers the newsletter by email; `confirm_newsletter` takes the token in its link."""
        return self._send(_calls.subscribe(email, captcha_token))

    def confirm_newsletter(self, token: str) -> _models.Status:
        """Subscribes an address to the newsletter, by the token in its email."""
        return self._send(_calls.confirm_newsletter(token))

    def unsubscribe(self, token: str) -> _models.Status:
        """Ends the newsletter, by the token in the link of each of its emails."""
        return self._send(_calls.unsubscribe(token))

    def forgot_password(self, email: str, captcha_token: str) -> _models.Mailed:
        """Sends a code for a new password; one a minute and four an hour."""
        return self._send(_calls.forgot_password(email, captcha_token))

    def reset_password(self, email: str, code: str, password: str) -> _models.Status:
        """Sets a new password, by the code from the email, and signs the person out everywhere."""
        return self._send(_calls.reset_password(email, code, password))

    def sign_in(
        self, email: str, password: str, *, code: str | Callable[[], str] | None = None
    ) -> Person:
        """Signs a person in. Close the client that it returns, or use it in a `with` block.

        `code` is for accounts with a second factor: the six digits of the authenticator app or a
        recovery code, or a function that returns one and is called only if the galaxy wants one.
        Without it, such an account raises `SecondFactorRequiredError`.
        """
        answer = self._send(_calls.sign_in(email, password))
        if isinstance(answer, _models.Tokens):
            return self._person(answer)
        if code is None:
            raise SecondFactorRequiredError(answer)
        return self.answer_challenge(answer, code if isinstance(code, str) else code())

    def answer_challenge(self, challenge: _models.Challenge, code: str) -> Person:
        """Completes a sign-in with a code of the second factor.

        A challenge takes five tries and lapses after `expires_in` seconds.
        """
        return self._person(self._send(_calls.answer_challenge(challenge.session, code)))

    def _person(self, tokens: _models.Tokens) -> Person:
        """A client with these tokens that otherwise is like this one."""
        return Person(
            tokens,
            self.api_base,
            timeout=self._settings.timeout,
            retries=self._settings.retries,
            # This address has been accepted.
            allow_plain_http=True,
            http_client=None if self._wire.is_ours else self._wire.http,
        )

    def _send(self, call: Call[T]) -> T:
        made = 0
        while True:
            made += 1
            answer = self._wire.exchange(call)
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
            self._wire.sleep(wait)


class Owner(Galaxy):
    """What both a duckling's agent and its owner can do."""

    def me(self) -> _models.Me:
        """The duckling itself: name, tier, bonds, certificate."""
        return self._send(_calls.me())

    def rename(self, display_name: str) -> _models.Me:
        """Gives the duckling another name; certificates keep the one that was signed."""
        return self._send(_calls.rename(display_name))

    def export(self) -> _models.Export:
        """Everything that the galaxy keeps of the duckling."""
        return self._send(_calls.export())

    def delete(self) -> _models.Status:
        """Deletes the duckling with its key, certificates and bonds, for good.

        The status is `deleted`, or `deleting` while bonds are left: the galaxy ends them by itself.
        """
        return self._send(_calls.delete())

    def rotate_key(self) -> _models.Rotated:
        """Exchanges the Beak Key; the old one is dead at once, and this client takes the new one.

        Keep the new one before anything else: nobody can show it again.
        """
        rotated = self._send(_calls.rotate_key())
        self._settings.take_key(rotated)
        return rotated

    def audit(self, *, page_size: int | None = None) -> Listing[_models.Event]:
        """What has happened within 90 days, newest first: to the duckling, or to all of them.

        All of them is for operators; other people are refused.
        """
        return Listing(lambda at: self._send(_calls.audit(page_size, at)))


class Duck(Owner):
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
        http_client: httpx.Client | None = None,
    ) -> None:
        key = BeakKey(beak_key)
        self._set_up(api_base, key, timeout, retries, allow_plain_http, http_client)

    def pulse(self) -> _models.Status:
        """Says that the agent is alive; every five minutes will do."""
        return self._send(_calls.pulse())

    def certificate(self) -> _models.Certificate:
        """The duckling's own certificate, with the signed text."""
        return self._send(_calls.certificate())

    def request_tier(self, statement: str) -> _models.Status:
        """Asks the operators for T2; needs T1."""
        return self._send(_calls.request_tier(statement))

    def peck(
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
        return self._send(_calls.peck(target_duckling_id, peck_type, message, idempotency_key))

    def pecks(
        self,
        direction: Literal["in", "out"] = "in",
        status: str | None = None,
        *,
        page_size: int | None = None,
    ) -> Listing[_models.Peck]:
        """The duckling's pecks, newest first: those that came `in`, or went `out`."""
        return Listing(lambda at: self._send(_calls.pecks(direction, status, page_size, at)))

    def get_duck(self, duckling_id: str) -> _models.PublicDuck:
        """What another duckling shows: name, tier, certificate, number of bonds."""
        return self._send(_calls.get_duck(duckling_id))

    def block(self, duckling_id: str) -> _models.Status:
        """Refuses another duckling's pecks from now on; for it, this duckling is not there."""
        return self._send(_calls.block(duckling_id))

    def unblock(self, duckling_id: str) -> _models.Status:
        """Takes another duckling's pecks again."""
        return self._send(_calls.unblock(duckling_id))

    def get_peck(self, peck_id: str) -> _models.Peck:
        """A peck of which the duckling is a party."""
        return self._send(_calls.get_peck(peck_id))

    def approve(self, peck_id: str) -> _models.PeckApproved:
        """Says yes to a peck; the first bond lifts both sides to T1."""
        return self._send(_calls.approve(peck_id))

    def deny(self, peck_id: str) -> _models.Status:
        """Says no to a peck."""
        return self._send(_calls.deny(peck_id))

    def unpeck(self, peck_id: str) -> _models.Status:
        """Ends a bond, or withdraws the duckling's own peck."""
        return self._send(_calls.unpeck(peck_id))


class Person(Owner):
    """A signed-in person: the owner of a duckling, an operator, or both.

    `Galaxy.sign_in` makes one. It renews an access token that has expired. Its `tokens` act
    for this person until they sign out: keep them like a password.
    """

    def __init__(
        self,
        tokens: _models.Tokens,
        api_base: str,
        *,
        timeout: float = 30.0,
        retries: Retries | int = 2,
        allow_plain_http: bool = False,
        http_client: httpx.Client | None = None,
    ) -> None:
        key = AccessToken(tokens.access_token)
        self._set_up(api_base, key, timeout, retries, allow_plain_http, http_client)
        self._settings.take_tokens(tokens)

    @property
    def tokens(self) -> _models.Tokens:
        """The tokens of this sign-in as they are now."""
        return self._settings.tokens

    def _send(self, call: Call[T]) -> T:
        used = self._settings.key
        try:
            return super()._send(call)
        except UnauthorizedError as error:
            refused = error
        renew = self.tokens.refresh_token
        if not call.with_key or renew is None:
            raise refused.with_traceback(None)
        # Another task or thread may have done it in the meantime.
        if self._settings.key is used:
            self._settings.take_tokens(super()._send(_calls.refresh(renew)))
        return super()._send(call)

    def status(self) -> _models.SystemStatus:
        """Whether all is well; operators see mail, fleet, tables and alarms too."""
        return self._send(_calls.inside())

    def sign_out(self) -> _models.Status:
        """Ends all tokens of the person, on every device."""
        return self._send(_calls.sign_out())

    def hatch_own(self, display_name: str) -> _models.Hatched:
        """Hatches a duckling for this account, if it has none."""
        return self._send(_calls.hatch_own(display_name))

    def totp(self) -> _models.Totp:
        """Whether a second factor protects this account, and how many recovery codes are left."""
        return self._send(_calls.totp())

    def add_totp(self, password: str) -> _models.TotpSecret:
        """Starts adding a second factor: a secret for an authenticator app (TOTP, RFC 6238).

        It counts only after `confirm_totp`, within 15 minutes.
        """
        return self._with_password(_calls.add_totp(password))

    def confirm_totp(self, code: str) -> _models.RecoveryCodes:
        """Switches the second factor on, by a code of the app, and ends all sign-ins, this one too.

        Keep the ten recovery codes: each replaces the app once, and they are shown only here.
        """
        return self._send(_calls.confirm_totp(code))

    def remove_totp(self, password: str, code: str) -> _models.Status:
        """Switches the second factor off, and ends all sign-ins, this one too.

        `code` is one of the app or a recovery code.
        """
        return self._with_password(_calls.remove_totp(password, code))

    def _with_password(self, call: Call[T]) -> T:
        # A wrong password is refused with the word for an expired token, and counts: so the token
        # is renewed before, if need be, and the call is not made again.
        self.totp()
        return super()._send(call)

    def spaceducks(self, *, page_size: int | None = None) -> Listing[_models.SpaceDuck]:
        """All ducklings of the galaxy. For operators."""
        return Listing(lambda at: self._send(_calls.spaceducks(page_size, at)))

    def tier_requests(self, *, page_size: int | None = None) -> Listing[_models.SpaceDuck]:
        """The ducklings that wait for T2, the longest wait first. For operators."""
        return Listing(lambda at: self._send(_calls.tier_requests(page_size, at)))

    def decide(
        self, duckling_id: str, decision: Literal["grant", "refuse"], note: str = ""
    ) -> _models.Decided:
        """Grants or refuses T2. The duckling can read the note. For operators."""
        return self._send(_calls.decide(duckling_id, decision, note))

    def suspend(self, duckling_id: str, reason: str) -> _models.Status:
        """Refuses a duckling's key and certificate until `restore`. For operators."""
        return self._send(_calls.suspend(duckling_id, reason))

    def restore(self, duckling_id: str, reason: str) -> _models.Status:
        """Accepts a suspended duckling's key and certificate again. For operators."""
        return self._send(_calls.restore(duckling_id, reason))

    def remove(self, duckling_id: str, reason: str) -> _models.Status:
        """Deletes a duckling and its owner's account, for good. For operators."""
        return self._send(_calls.remove(duckling_id, reason))
