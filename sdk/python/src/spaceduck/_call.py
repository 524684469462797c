"""What a call is, how its answer is read and whether it may be repeated; no network in here."""

from __future__ import annotations

import email.utils
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timezone
from typing import Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from httpx import codes

from ._address import BeakKey, Secret
from ._errors import (
    BY_CODE,
    GATEWAY,
    ApiError,
    ConnectionFailedError,
    InternalError,
    MethodNotAllowedError,
    NotAGalaxyError,
    NotFoundError,
    NotSupportedError,
    RateLimitedError,
    SpaceDuckError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
    UsageError,
    text,
)
from ._version import __version__

T = TypeVar("T")

AGENT = f"spaceduck-python/{__version__}"
#: No answer of a galaxy comes near to this.
LARGEST_ANSWER = 32 * 1024 * 1024
#: A year, in seconds. Python's sockets and `sleep` raise `OverflowError` beyond 292 years.
LONGEST_WAIT = 365 * 24 * 3600.0
#: Doublings after which any backoff is far above every limit; more would overflow a float.
_MOST_DOUBLINGS = 60

_BY_STATUS: dict[int, type[ApiError]] = {
    413: TooLargeError,
    429: RateLimitedError,
    500: InternalError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


@dataclass(frozen=True)
class Call(Generic[T]):
    """A call, and how to read its answer."""

    method: str
    path: str
    read: Callable[[Any], T] = field(repr=False)
    params: Mapping[str, str | int | None] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Whether the Beak Key or access token goes with it.
    with_key: bool = True
    #: Whether doing it twice is the same as doing it once.
    is_repeatable: bool = False
    #: Whether `not_found` may be about a thing and not about the call.
    may_miss: bool = False
    #: What to do if nobody knows whether it was done.
    recovery: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Retries:
    """How often a call is made again, and how long that may be waited for.

    Only what is safe to repeat is repeated: a call that was refused for its rate or never left this
    machine, and beyond that only calls that change nothing or that the galaxy knows as a repeat.
    """

    #: How many times after the first.
    count: int = 2
    #: The longest wait before one of them, in seconds. A galaxy that asks for more is not asked
    #: again, and the error says when it may be.
    longest_wait: float = 60.0
    #: The wait before the first of them, if the galaxy does not say; it doubles each time, up to
    #: `longest_wait`.
    first_wait: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or isinstance(self.count, bool) or self.count < 0:
            raise UsageError("`count` of `Retries` must be a whole number, 0 or more")
        for name in ("longest_wait", "first_wait"):
            seconds = getattr(self, name)
            is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
            # Not true of NaN, either.
            if not is_number or not seconds >= 0:
                raise UsageError(f"`{name}` of `Retries` must be a number of seconds, 0 or more")

    def wait(self, call: Call[Any], error: SpaceDuckError, made: int) -> float | None:
        """The seconds to wait before the call is made again; `None` if it is not."""
        if made > self.count or not _may_repeat(call, error):
            return None
        wanted = error.retry_after if isinstance(error, (RateLimitedError, UnavailableError)) else 0
        if wanted and wanted > self.longest_wait:
            return None
        doubled = self.first_wait * 2.0 ** min(made - 1, _MOST_DOUBLINGS)
        # Spread, so that many agents that were refused at once do not come back at once.
        spread = random.uniform(0.5, 1)  # noqa: S311
        own = min(doubled, self.longest_wait, LONGEST_WAIT) * spread
        return max(wanted or 0, own)


def _may_repeat(call: Call[Any], error: SpaceDuckError) -> bool:
    if isinstance(error, RateLimitedError):
        return True
    if isinstance(error, ConnectionFailedError):
        return call.is_repeatable or not error.was_sent
    return isinstance(error, UnavailableError) and call.is_repeatable


def request_headers(call: Call[Any], key: Secret | None) -> dict[str, str]:
    """The headers of a call."""
    headers = {"Accept": "application/json", "User-Agent": AGENT, **call.headers}
    if call.body is not None:
        headers["Content-Type"] = "application/json"
    if key and call.with_key:
        headers["Authorization"] = f"Bearer {key.reveal()}"
    return headers


def request_body(call: Call[Any]) -> bytes | None:
    """The body of a call."""
    return None if call.body is None else json.dumps(call.body).encode()


def request_params(call: Call[Any]) -> dict[str, str | int]:
    """What stands behind the question mark."""
    return {name: value for name, value in call.params.items() if value is not None}


def outcome(call: Call[T], answer: Answer, url: str, key: Secret | None) -> T:
    """The answer as a value, or the error that it is."""
    data = _json(answer)
    if codes.is_success(answer.status):
        if data is None:
            raise NotAGalaxyError(_not_ours(answer, url), status_code=answer.status)
        return call.read(data)
    word = text(data.get("error")) if isinstance(data, dict) else None
    if not isinstance(data, dict) or word is None:
        # A gateway in front of the galaxy has words of its own.
        if isinstance(data, dict) and text(data.get("message")) and answer.status in GATEWAY:
            refusal, message = GATEWAY[answer.status]
            raise _with_wait(refusal(answer.status, {**data, "message": message}), answer)
        kind = _BY_STATUS.get(answer.status)
        if kind is None:
            raise NotAGalaxyError(_not_ours(answer, url), status_code=answer.status)
        raise _with_wait(kind(answer.status, {}), answer)
    # A word of a newer galaxy: its status still tells whether to wait.
    kind = BY_CODE.get(word) or _BY_STATUS.get(answer.status, ApiError)
    if kind is MethodNotAllowedError or (kind is NotFoundError and not call.may_miss):
        message = (
            f"this galaxy has no `{call.method} /beak{call.path}`: it is older than this package, "
            f"or {url} is not its whole address"
        )
        lacks = NotSupportedError if kind is NotFoundError else kind
        raise lacks(answer.status, {**data, "message": message})
    if kind is UnauthorizedError and isinstance(key, BeakKey) and call.with_key:
        raise UnauthorizedError(answer.status, {**data, "message": _why_unknown(key, url)})
    raise _with_wait(kind(answer.status, data), answer)


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None


def _with_wait(error: ApiError, answer: Answer) -> ApiError:
    if isinstance(error, (RateLimitedError, UnavailableError)):
        error.retry_after = _retry_after(answer.headers.get("retry-after"))
    return error


def _retry_after(value: str | None) -> float | None:
    """Seconds or a date, RFC 9110 section 10.2.3; never more than `LONGEST_WAIT`."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(float(value), LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        # A number in the date may be larger than any that C has.
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return min(max(0.0, moment.timestamp() - time.time()), LONGEST_WAIT)


def _why_unknown(key: BeakKey, url: str) -> str:
    if not key.is_well_formed():
        return "this Beak Key is misspelt or cut off: its checksum is wrong; copy it once more"
    return (
        f"the galaxy at {url} does not know this Beak Key: it was rotated, its duckling was "
        "deleted, or it belongs to another galaxy"
    )


def _not_ours(answer: Answer, url: str) -> str:
    given = answer.headers.get("content-type", "").partition(";")[0].strip() or "nothing readable"
    what = f"{url} is not the API of a galaxy: it answered {answer.status} with {given}"
    if codes.is_redirect(answer.status) and _leads_away(answer, url):
        # Not followed: the Beak Key would go wherever it leads.
        return f"{what}, a redirection; write the address that it leads to"
    if url.startswith("https://") and ".execute-api." in url and not urlsplit(url).path:
        return f"{what}; the address of one in AWS ends with its stage, `/prod`"
    return f"{what}; write the address that `spaceduck status` or `cargo galaxy` prints"


def _leads_away(answer: Answer, url: str) -> bool:
    """Whether a redirection is to another address; a site's own lead to another of its pages."""
    here = urlsplit(url)
    try:
        there = urlsplit(urljoin(url, answer.headers.get("location", "")))
    except ValueError:
        return False
    return (there.scheme, there.netloc) != (here.scheme, here.netloc)


def unknown_form(error: Exception) -> UnexpectedAnswerError:
    """An answer that can't even be read as HTTP."""
    return UnexpectedAnswerError(f"the answer can't be read ({type(error).__name__})")
