//! What AWS answers, in the Beak's words: worth another try, or a mistake of ours.
//!
//! `tests/errors.rs` plays every error that the services' own models list for the operations that
//! are called, and fails for one without a decision.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use beak_core::BeakError;

/// Errors that pass by themselves, or once the operator has done something: 503.
///
/// Sources: the services' API references, their lists of common errors, and "Retry behavior", AWS
/// SDKs and Tools Reference Guide.
pub(crate) const PASSING: [&str; 31] = [
    // Of any service.
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceErrorException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    // DynamoDB's.
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "TransactionConflictException",
    "TransactionInProgressException",
    // Cognito's: an internal error, and a mail that did not leave.
    "CodeDeliveryFailureException",
    "InternalErrorException",
    // KMS's. A key that was disabled by hand is one that can be enabled again.
    "DependencyTimeoutException",
    "DisabledException",
    "KMSInternalException",
    "KeyUnavailableException",
    // SES's: the operator has to do something with Amazon, or with DNS.
    "AccountSuspendedException",
    "MailFromDomainNotVerifiedException",
    "SendingPausedException",
];

/// An error that the caller has no special answer for. Only its code is kept: a message may quote
/// what was sent.
pub(crate) fn failed<E, R>(doing: &str, error: &SdkError<E, R>) -> BeakError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let Some(code) = code(error) else {
        return BeakError::Unavailable(format!("{doing}: {error}"));
    };
    let cause = format!("{doing}: {code}");
    if PASSING.contains(&code) { BeakError::Unavailable(cause) } else { BeakError::Internal(cause) }
}

/// The error's code; none where AWS was not reached.
pub(crate) fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    match error {
        SdkError::ServiceError(service) => {
            Some(service.err().code().unwrap_or("an error without a code"))
        }
        _ => None,
    }
}
