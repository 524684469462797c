"""What the clients share: their settings, and one exchange over HTTP read the same for both."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import httpx

from . import _call
from ._address import AccessToken, BeakKey, Secret, base
from ._call import Answer, Call, Retries
from ._certificates import verify_certificate
from ._errors import (
    ConnectionFailedError,
    InvalidCertificateError,
    SpaceDuckError,
    TimedOutError,
    UnexpectedAnswerError,
    UsageError,
)
from ._models import Claims, Rotated, Tokens

T = TypeVar("T")

_LONGEST_CONNECT = 10.0
#: Within this many seconds a set of keys is not fetched again, whatever certificate comes.
_KEYS_STAY = 60.0
#: After this many seconds it is; the galaxy names the same.
_KEYS_LAPSE = 300.0
#: Nothing of these was sent.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Settings:
    """Where the galaxy is, with which key, and how patient to be."""

    def __init__(
        self,
        api_base: str,
        key: Secret | None,
        *,
        timeout: float,
        retries: Retries | int,
        allow_plain_http: bool,
    ) -> None:
        self.api_base = base(api_base, allow_plain_http=allow_plain_http)
        self.key = key
        self.tokens = Tokens({})
        self.timeout = _seconds(timeout)
        self.retries = Retries(count=retries) if isinstance(retries, int) else retries
        if not isinstance(self.retries, Retries):
            raise UsageError("`retries` is a number or `spaceduck.Retries`")
        self.keys = KeySet()

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """A call as httpx takes it."""
        return {
            "method": call.method,
            "url": f"{self.api_base}/beak{call.path}",
            "params": _call.request_params(call),
            "content": _call.request_body(call),
            "headers": _call.request_headers(call, self.key),
            "timeout": httpx.Timeout(self.timeout, connect=min(self.timeout, _LONGEST_CONNECT)),
            "follow_redirects": False,
        }

    def outcome(self, call: Call[T], answer: Answer) -> T:
        """The answer as a value, or the error that it is."""
        return _call.outcome(call, answer, self.api_base, self.key)

    def take_key(self, rotated: Rotated) -> None:
        """Goes on with the new key, where it was a key that made the call."""
        if isinstance(self.key, BeakKey):
            self.key = BeakKey(rotated.beak_key)

    def take_tokens(self, tokens: Tokens) -> None:
        """Goes on with new tokens; a refresh leaves the refresh token as it was."""
        self.tokens = Tokens({**self.tokens, **tokens})
        self.key = AccessToken(self.tokens.access_token)

    def wait(self, call: Call[Any], error: SpaceDuckError, made: int) -> float | None:
        """The seconds to wait before the call is made again; `None` if it is not."""
        return self.retries.wait(call, error, made)

    def failed(self, call: Call[Any], error: Exception) -> SpaceDuckError:
        """Any error of HTTP in our words. Theirs is not kept: its trace knows the headers."""
        if isinstance(error, httpx.DecodingError):
            return _call.unknown_form(error)
        if isinstance(error, RuntimeError):
            return UsageError(
                "this client can't be used any more: it was closed, or its `http_client` was, or "
                "it was made in an event loop that has ended; make a new one"
            )
        if isinstance(error, (TypeError, ValueError, httpx.InvalidURL, httpx.LocalProtocolError)):
            return UsageError(
                f"`{call.method} /beak{call.path}` can't be sent: an argument has a type or "
                f"characters that HTTP and JSON have no form for ({type(error).__name__})"
            )
        was_sent = not isinstance(error, _NOT_SENT)
        message = f"{self.api_base} did not answer `{call.method} /beak{call.path}`"
        if isinstance(error, httpx.TimeoutException):
            kind: type[ConnectionFailedError] = TimedOutError
            message += f" within {self.timeout:g} seconds"
        else:
            kind = ConnectionFailedError
            message += f": {error}" if str(error) else f" ({type(error).__name__})"
        if was_sent and call.recovery:
            message += f"; {call.recovery}"
        elif not was_sent:
            message += "; is this the right address, and is the galaxy running?"
        return kind(message, was_sent=was_sent)


def _seconds(timeout: float) -> float:
    """A timeout that can be waited for."""
    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout <= _call.LONGEST_WAIT:
        raise UsageError(
            "`timeout` must be a number of seconds, more than 0 and at most "
            f"{_call.LONGEST_WAIT:.0f}, which is a year"
        )
    return timeout


class Body:
    """The body of an answer as it arrives, with an end to patience and to memory."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        """Takes what has arrived."""
        self._content += chunk
        if time.monotonic() > self._until:
            raise httpx.ReadTimeout("the answer takes too long")
        if len(self._content) > _call.LARGEST_ANSWER:
            raise UnexpectedAnswerError("the answer is larger than any of a galaxy")

    def of(self, response: httpx.Response) -> Answer:
        """The answer, when all of it is there."""
        return Answer(response.status_code, response.headers, bytes(self._content))


class KeySet:
    """A galaxy's public keys, kept for a while."""

    def __init__(self) -> None:
        self._keys: dict[str, Any] | None = None
        self._since = 0.0

    def is_due(self) -> bool:
        """Whether to fetch them before they are used."""
        return self._keys is None or time.monotonic() - self._since > _KEYS_LAPSE

    def is_worth_another(self, error: InvalidCertificateError) -> bool:
        """Whether newer keys might know this certificate."""
        old = time.monotonic() - self._since > _KEYS_STAY
        return error.reason == "unknown_key" and old

    def put(self, keys: dict[str, Any]) -> None:
        """Keeps what was fetched."""
        self._keys, self._since = keys, time.monotonic()

    def check(self, certificate: str) -> Claims | InvalidCertificateError:
        """What the certificate says, or why it can't be trusted."""
        try:
            return verify_certificate(certificate, self._keys or {"keys": []})
        except InvalidCertificateError as error:
            return error
