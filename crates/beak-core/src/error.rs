//! The one error of the Beak: what a caller may know, and, apart from it, what only logs may.

use time::Duration;

use crate::peck::PeckStatus;
use crate::tier::Tier;

/// A result of the domain.
pub type Result<T> = std::result::Result<T, BeakError>;

/// Everything that can go wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeakError {
    /// A field is missing, malformed or out of range.
    #[error("{message}")]
    Invalid {
        /// The field's name on the wire, where one is at fault.
        field: Option<&'static str>,
        /// The error's sentence: the expected value.
        message: String,
    },
    /// The code is not the one that was sent, or nothing was sent.
    #[error("this code is wrong or no longer valid")]
    OtpMismatch,
    /// The code was right once.
    #[error("this code has expired; ask for a new one")]
    OtpExpired,
    /// The captcha says no.
    #[error("the captcha was not solved; try it again")]
    CaptchaFailed,
    /// No credential, or none that is known.
    #[error("a valid Beak Key or access token is needed")]
    Unauthorized,
    /// An address and a password that do not belong together. The same for an address that no
    /// account has.
    #[error("the email address or the password is wrong")]
    WrongPassword,
    /// A good credential without the right.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A good credential of too low a tier.
    #[error("this needs trust tier {0}")]
    TierTooLow(Tier),
    /// It does not exist, or the caller may not see it.
    #[error("there is no {0} here")]
    NotFound(&'static str),
    /// The call exists, but not with this method.
    #[error("this call takes other methods: see the header `Allow`")]
    MethodNotAllowed,
    /// It is already there.
    #[error("{0}")]
    AlreadyExists(&'static str),
    /// It is in a state in which this can't be done.
    #[error("{message}")]
    Conflict {
        /// The state as it is.
        status: Option<PeckStatus>,
        /// What prevents it.
        message: &'static str,
    },
    /// The body is larger than a call may be.
    #[error("the body is larger than 16 KiB")]
    TooLarge,
    /// The body is not JSON.
    #[error("send `Content-Type: application/json`")]
    UnsupportedMediaType,
    /// A password that will not do.
    #[error("{0}")]
    WeakPassword(&'static str),
    /// Too often.
    #[error("too many requests; try again later")]
    RateLimited {
        /// When it may be tried again.
        retry_after: Duration,
    },
    /// A bug. The text is for logs only.
    #[error("something went wrong here")]
    Internal(String),
    /// Stored data can't be read. The text is for logs only.
    #[error("something went wrong here")]
    Damaged(String),
    /// A dependency does not answer. The text is for logs only.
    #[error("this galaxy can't do that at the moment; try again later")]
    Unavailable(String),
}

impl BeakError {
    /// A field that is not as it should be.
    #[must_use]
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field), message: message.into() }
    }

    /// The same error, at another field.
    #[must_use]
    pub fn at(self, field: &'static str) -> Self {
        match self {
            Self::Invalid { message, .. } => Self::Invalid { field: Some(field), message },
            other => other,
        }
    }

    /// The word that programs go by.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid_request",
            Self::OtpMismatch => "otp_mismatch",
            Self::OtpExpired => "otp_expired",
            Self::CaptchaFailed => "captcha_failed",
            Self::Unauthorized | Self::WrongPassword => "unauthorized",
            Self::Forbidden(_) => "forbidden",
            Self::TierTooLow(_) => "tier_too_low",
            Self::NotFound(_) => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AlreadyExists(_) => "already_exists",
            Self::Conflict { .. } => "conflict",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::WeakPassword(_) => "weak_password",
            Self::RateLimited { .. } => "rate_limited",
            Self::Internal(_) | Self::Damaged(_) => "internal",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The field at fault, by its name on the wire.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => *field,
            Self::OtpMismatch | Self::OtpExpired => Some("code"),
            Self::CaptchaFailed => Some("captcha_token"),
            Self::WeakPassword(_) => Some("password"),
            _ => None,
        }
    }

    /// What only a log may say about it.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) | Self::Damaged(cause) | Self::Unavailable(cause) => Some(cause),
            _ => None,
        }
    }
}
