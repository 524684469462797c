"""Space Duck: identities and bonds for agents, on a galaxy of your own.

import spaceduck

duck = spaceduck.Duck(beak_key="sd_bk_...", api_base="http://localhost:3825")
print(duck.metrics()["total_ducklings"])
"""

from importlib.metadata import version as _version

from ._async import AsyncDuck, AsyncGalaxy
from ._call import Retries
from ._certificates import verify_certificate
from ._errors import (
    AlreadyExistsError,
    ApiError,
    CaptchaFailedError,
    ConflictError,
    ConnectionFailedError,
    ForbiddenError,
    InternalError,
    InvalidCertificateError,
    InvalidRequestError,
    MissingFieldError,
    NotAGalaxyError,
    NotFoundError,
    NotSupportedError,
    OtpExpiredError,
    OtpMismatchError,
    RateLimitedError,
    SpaceDuckError,
    TierTooLowError,
    TimedOutError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnsupportedMediaTypeError,
    UsageError,
    WeakPasswordError,
)
from ._models import (
    Certificate,
    Claims,
    EggLaid,
    Event,
    Export,
    Hatched,
    Judgement,
    Me,
    Metrics,
    Peck,
    PeckApproved,
    PeckAsked,
    PeckCounts,
    Rotated,
    Status,
    SystemStatus,
    TierRequest,
)
from ._paging import AsyncListing, Listing, Page
from ._sync import Duck, Galaxy, hatch, resend, verify

__version__ = _version("spaceduck")

__all__ = [
    "AlreadyExistsError",
    "ApiError",
    "AsyncDuck",
    "AsyncGalaxy",
    "AsyncListing",
    "CaptchaFailedError",
    "Certificate",
    "Claims",
    "ConflictError",
    "ConnectionFailedError",
    "Duck",
    "EggLaid",
    "Event",
    "Export",
    "ForbiddenError",
    "Galaxy",
    "Hatched",
    "InternalError",
    "InvalidCertificateError",
    "InvalidRequestError",
    "Judgement",
    "Listing",
    "Me",
    "Metrics",
    "MissingFieldError",
    "NotAGalaxyError",
    "NotFoundError",
    "NotSupportedError",
    "OtpExpiredError",
    "OtpMismatchError",
    "Page",
    "Peck",
    "PeckApproved",
    "PeckAsked",
    "PeckCounts",
    "RateLimitedError",
    "Retries",
    "Rotated",
    "SpaceDuckError",
    "Status",
    "SystemStatus",
    "TierRequest",
    "TierTooLowError",
    "TimedOutError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnsupportedMediaTypeError",
    "UsageError",
    "WeakPasswordError",
    "__version__",
    "hatch",
    "resend",
    "verify",
    "verify_certificate",
]
