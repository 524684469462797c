//! How long each service is waited for, and which of its errors the SDK tries again.
//!
//! The gateway gives up after twelve seconds and Lambda after ten. A call that hangs is given up
//! and made again within that time, and a whole answer that takes too long is ours to refuse.

use std::error::Error;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentityprovider::operation::{
    confirm_forgot_password::ConfirmForgotPasswordError, confirm_sign_up::ConfirmSignUpError,
    forgot_password::ForgotPasswordError, resend_confirmation_code::ResendConfirmationCodeError,
    sign_up::SignUpError,
};
use aws_sdk_dynamodb::operation::{
    delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError,
};
use aws_smithy_runtime_api::client::interceptors::context::{
    Error as AnyError, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// How long a caller waits at most. Lambda ends the function a second later.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(9);

/// How often a call is made at most.
pub(crate) const TRIES: u32 = 3;

/// How long a call may take with all of its tries.
const CALL: Duration = Duration::from_secs(8);
/// How long one try may take where a mail is sent or a password hashed meanwhile.
const TRY: Duration = Duration::from_millis(3500);
/// How long one try may take where the service answers within milliseconds.
const SHORT_TRY: Duration = Duration::from_secs(2);

fn timeouts(one: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(SHORT_TRY)
        .operation_attempt_timeout(one)
        .operation_timeout(CALL)
        .build()
}

/// The same settings with the patience that all services get unless they have their own.
pub(crate) fn patient(config: &SdkConfig) -> SdkConfig {
    let retries = RetryConfig::standard().with_max_attempts(TRIES);
    config.to_builder().timeout_config(timeouts(TRY)).retry_config(retries).build()
}

/// The configuration of a client that takes Cognito's limits for final.
pub(crate) fn cognito(config: &SdkConfig) -> aws_sdk_cognitoidentityprovider::Config {
    let config = aws_sdk_cognitoidentityprovider::config::Builder::from(config);
    config.retry_classifier(LimitsAreFinal).build()
}

/// The settings for a service that answers within milliseconds.
pub(crate) fn kms(config: &SdkConfig) -> SdkConfig {
    config.to_builder().timeout_config(timeouts(SHORT_TRY)).build()
}

/// The configuration of a client that writes again what met a transaction.
pub(crate) fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Config {
    // A transaction is over within milliseconds, so the first wait is short.
    let retries = RetryConfig::standard()
        .with_max_attempts(2 * TRIES)
        .with_initial_backoff(Duration::from_millis(50));
    aws_sdk_dynamodb::config::Builder::from(config)
        .timeout_config(timeouts(SHORT_TRY))
        .retry_config(retries)
        .retry_classifier(ConflictsPass)
        .build()
}

/// The SDK takes `LimitExceededException` for throttling. Cognito returns it for one address with
/// too many codes: a retry doesn't help and takes seconds, which would reveal that the address is
/// known.
#[derive(Debug)]
struct LimitsAreFinal;

impl ClassifyRetry for LimitsAreFinal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        const LIMIT: [&str; 1] = ["LimitExceededException"];
        let is_limit = refused(context).is_some_and(|error| {
            says::<SignUpError>(error, &LIMIT)
                || says::<ConfirmSignUpError>(error, &LIMIT)
                || says::<ResendConfirmationCodeError>(error, &LIMIT)
                || says::<ForgotPasswordError>(error, &LIMIT)
                || says::<ConfirmForgotPasswordError>(error, &LIMIT)
        });
        if is_limit { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "limits of one address are final"
    }

    fn priority(&self) -> RetryClassifierPriority {
        last()
    }
}

/// The SDK takes it for final that a transaction is at work on the item of a single write.
#[derive(Debug)]
struct ConflictsPass;

impl ClassifyRetry for ConflictsPass {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        const CONFLICTS: [&str; 2] =
            ["TransactionConflictException", "ReplicatedWriteConflictException"];
        let is_conflict = refused(context).is_some_and(|error| {
            says::<UpdateItemError>(error, &CONFLICTS)
                || says::<PutItemError>(error, &CONFLICTS)
                || says::<DeleteItemError>(error, &CONFLICTS)
        });
        if is_conflict { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "conflicts of single writes pass"
    }

    fn priority(&self) -> RetryClassifierPriority {
        last()
    }
}

/// After all others, so that this word is the last one.
fn last() -> RetryClassifierPriority {
    RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
}

/// What the service refused a call with.
fn refused(context: &InterceptorContext) -> Option<&AnyError> {
    let Some(Err(error)) = context.output_or_error() else { return None };
    error.as_operation_error()
}

fn says<E: Error + ProvideErrorMetadata + Send + Sync + 'static>(
    error: &AnyError,
    codes: &[&str],
) -> bool {
    let code = error.downcast_ref::<E>().and_then(E::code);
    code.is_some_and(|code| codes.contains(&code))
}
