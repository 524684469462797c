"""Everything that can go wrong, one class for each word that a galaxy gives in `error`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from ._models import Challenge


class SpaceDuckError(Exception):
    """The base of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are made again from `args`, which not all of these are made of.
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[SpaceDuckError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UsageError(SpaceDuckError, ValueError):
    """An argument that can't be right, such as an address; found before anything is sent."""


class ConnectionFailedError(SpaceDuckError):
    """The galaxy can't be reached, or went away in the middle of an answer.

    `was_sent` tells whether the call may have reached the galaxy and so may have been done.
    """

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class TimedOutError(ConnectionFailedError):
    """The galaxy did not answer in time."""


class NotAGalaxyError(SpaceDuckError):
    """Something answered that is not the Beak: a web page, a redirection, another API."""

    def __init__(self, message: str, *, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code


class UnexpectedAnswerError(SpaceDuckError):
    """The Beak answered, but not in a form that this package can read."""


class MissingFieldError(UnexpectedAnswerError, AttributeError):
    """The answer lacks this field: the galaxy is older than this package."""


class InvalidCertificateError(SpaceDuckError):
    """A certificate that must not be trusted.

    `reason` is a word for programs: `malformed`, `unknown_key`, `bad_signature`, `wrong_issuer`,
    `not_yet_valid` or `bad_claims`.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class SecondFactorRequiredError(SpaceDuckError):
    """The password is right, and the account has a second factor.

    Call `sign_in` with its `code`, or pass `challenge` and the code to `answer_challenge`.
    """

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(
            "this account has a second factor: pass `code`, from the authenticator app or a "
            "recovery code"
        )
        self.challenge = challenge


class ApiError(SpaceDuckError):
    """The galaxy refuses a call. Raised itself for a word that this package does not know yet."""

    code: ClassVar[str] = ""

    def __init__(self, status_code: int, body: dict[str, Any]) -> None:
        word = text(body.get("error")) or self.code
        #: The word that programs go by.
        self.error = word
        #: One sentence for people.
        self.message = text(body.get("message")) or f"the galaxy answered {status_code}"
        #: By which the operator finds the call in the log.
        self.request_id = text(body.get("request_id"))
        #: The field at fault, where one is.
        self.field = text(body.get("field"))
        #: The HTTP status.
        self.status_code = status_code
        #: The body as it came.
        self.body = body
        super().__init__(self.message)

    def __str__(self) -> str:
        named = f" (field `{self.field}`)" if self.field else ""
        found = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.error}: {self.message}{named}{found}"


class InvalidRequestError(ApiError):
    """A field is missing, malformed or out of range."""

    code = "invalid_request"


class OtpMismatchError(ApiError):
    """The code is wrong, or it was used before."""

    code = "otp_mismatch"


class OtpExpiredError(ApiError):
    """The code was right once; ask for another one with `resend`."""

    code = "otp_expired"


class CaptchaFailedError(ApiError):
    """The captcha was not solved."""

    code = "captcha_failed"


class UnauthorizedError(ApiError):
    """The galaxy does not know this Beak Key, sign-in or password."""

    code = "unauthorized"


class ForbiddenError(ApiError):
    """A good Beak Key or sign-in without the right."""

    code = "forbidden"


class TierTooLowError(ApiError):
    """A good Beak Key of too low a trust tier."""

    code = "tier_too_low"


class NotFoundError(ApiError):
    """There is no such thing, or it is not the caller's to see."""

    code = "not_found"


class NotSupportedError(NotFoundError):
    """The galaxy has no such call: it is older than this package."""


class MethodNotAllowedError(NotSupportedError):
    """The galaxy has no such call with this method: it is older than this package."""

    code = "method_not_allowed"


class AlreadyExistsError(ApiError):
    """It is already there, such as the same peck waiting for an answer."""

    code = "already_exists"


class ConflictError(ApiError):
    """It is in a state in which this can't be done; `peck_status` is the state of a peck."""

    code = "conflict"

    @property
    def peck_status(self) -> str | None:
        """The state that the peck is in, where that is in the way."""
        return text(self.body.get("status"))


class TooLargeError(ApiError):
    """The body is larger than 16 KiB."""

    code = "too_large"


class UnsupportedMediaTypeError(ApiError):
    """The body is not JSON."""

    code = "unsupported_media_type"


class WeakPasswordError(ApiError):
    """A password that will not do."""

    code = "weak_password"


class RateLimitedError(ApiError):
    """Too many calls; `retry_after` is the number of seconds to wait, if the galaxy said so."""

    code = "rate_limited"
    retry_after: float | None = None


class InternalError(ApiError):
    """Something went wrong in the galaxy."""

    code = "internal"


class UnavailableError(ApiError):
    """The galaxy can't do that at the moment; `retry_after` as in `RateLimitedError`."""

    code = "unavailable"
    retry_after: float | None = None


_SILENT = "the galaxy's function gave no answer: it failed, took too long, or too many were running"

#: API Gateway's own answers, a `message` without `error`: what they are by status, in our words.
#: Source: "Handling Lambda errors with an API Gateway API", AWS Lambda Developer Guide.
GATEWAY: dict[int, tuple[type[ApiError], str]] = {
    403: (ForbiddenError, "API Gateway takes no calls for this galaxy at this address"),
    429: (RateLimitedError, "all callers together send this galaxy more calls than it takes"),
    500: (UnavailableError, _SILENT),
    502: (UnavailableError, _SILENT),
    503: (UnavailableError, _SILENT),
    504: (UnavailableError, _SILENT),
}


def text(value: object) -> str | None:
    """The value, if it is text that says something."""
    return value if isinstance(value, str) and value else None


BY_CODE: dict[str, type[ApiError]] = {
    error.code: error
    for error in (
        InvalidRequestError,
        OtpMismatchError,
        OtpExpiredError,
        CaptchaFailedError,
        UnauthorizedError,
        ForbiddenError,
        TierTooLowError,
        NotFoundError,
        MethodNotAllowedError,
        AlreadyExistsError,
        ConflictError,
        TooLargeError,
        UnsupportedMediaTypeError,
        WeakPasswordError,
        RateLimitedError,
        InternalError,
        UnavailableError,
    )
}
