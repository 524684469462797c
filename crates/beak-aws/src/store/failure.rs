//! What DynamoDB's refusals mean to the Beak, told apart by code, never by their English.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use beak_core::error::BeakError;

/// Codes after which trying again may help, once the SDK's own retries are used up.
const PASSING: [&str; 9] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "ReplicatedWriteConflictException",
];

/// The error of a call that was not answered as it should be.
pub(super) fn failed<E>(call: &str, table: &str, error: &SdkError<E>) -> BeakError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let (passing, cause) = match error {
        SdkError::ServiceError(refused) => {
            let code = refused.err().code().unwrap_or("without a code");
            let message = refused.err().message().unwrap_or_default();
            let passing = PASSING.contains(&code) || refused.raw().status().as_u16() >= 500;
            (passing, said(code, message))
        }
        SdkError::DispatchFailure(failure) => (!failure.is_user(), chain(error)),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => (true, chain(error)),
        _ => (false, chain(error)),
    };
    let text = format!("dynamodb {call} on {table}: {cause}");
    if passing { BeakError::Unavailable(text) } else { BeakError::Internal(text) }
}

/// A refusal in its own words, unless these might quote an address.
fn said(code: &str, message: &str) -> String {
    if message.is_empty() || message.contains('@') {
        return code.to_owned();
    }
    format!("{code}: {message}")
}

/// An error and what lies under it. Not its `Debug` form, which holds the whole answer.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut under = error.source();
    while let Some(cause) = under {
        text = format!("{text}: {cause}");
        under = cause.source();
    }
    text
}

/// A transaction's step that lacks something; only a mistake of ours can do that.
pub(super) fn unbuilt(error: &aws_sdk_dynamodb::error::BuildError) -> BeakError {
    BeakError::Internal(format!("dynamodb: a step can't be built: {error}"))
}

/// A verb whose subject kept changing under its hands.
pub(super) fn restless(verb: &str) -> BeakError {
    BeakError::Unavailable(format!("dynamodb: {verb} lost every race"))
}

/// Something that is there twice, or is missing, although we never write it so.
pub(super) fn inconsistent(what: &str) -> BeakError {
    BeakError::Internal(format!("dynamodb: the tables contradict each other: {what}"))
}
