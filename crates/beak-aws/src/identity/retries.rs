//! Which of Cognito's refusals the SDK tries again.

use std::error::Error;

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::config::{Builder, Config};
use aws_sdk_cognitoidentityprovider::operation::{
    confirm_forgot_password::ConfirmForgotPasswordError, confirm_sign_up::ConfirmSignUpError,
    forgot_password::ForgotPasswordError, resend_confirmation_code::ResendConfirmationCodeError,
    sign_up::SignUpError,
};
use aws_smithy_runtime_api::client::interceptors::context::{
    Error as AnyError, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The configuration of a client that takes Cognito's limits for final.
pub(super) fn without_limits(config: &SdkConfig) -> Config {
    Builder::from(config).retry_classifier(LimitsAreFinal).build()
}

/// The SDK takes `LimitExceededException` for throttling. Cognito says so of one address that has
/// asked for too many codes: trying again helps nothing and takes seconds, which would tell that
/// the address is known.
#[derive(Debug)]
struct LimitsAreFinal;

impl ClassifyRetry for LimitsAreFinal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let error = error.as_operation_error();
        if error.is_some_and(is_limit) {
            return RetryAction::RetryForbidden;
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "limits of one address are final"
    }

    /// After all others, so that this word is the last one.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

fn is_limit(error: &AnyError) -> bool {
    has_limit::<SignUpError>(error)
        || has_limit::<ConfirmSignUpError>(error)
        || has_limit::<ResendConfirmationCodeError>(error)
        || has_limit::<ForgotPasswordError>(error)
        || has_limit::<ConfirmForgotPasswordError>(error)
}

fn has_limit<E: Error + ProvideErrorMetadata + Send + Sync + 'static>(error: &AnyError) -> bool {
    error.downcast_ref::<E>().and_then(E::code) == Some("LimitExceededException")
}
