//! What AWS answers, in the Beak's words: worth another try, or a mistake of ours.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use beak_core::BeakError;

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
    match code {
        "ThrottlingException"
        | "Throttling"
        | "TooManyRequestsException"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "TransactionConflictException"
        | "ProvisionedThroughputExceededException"
        | "InternalErrorException"
        | "InternalServerError"
        | "CodeDeliveryFailureException"
        | "DependencyTimeoutException"
        | "KMSInternalException" => BeakError::Unavailable(cause),
        _ => BeakError::Internal(cause),
    }
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
