//! SDK errors → our failures, told apart by code; English is only read where AWS has no code.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::failure::{Failure, Kind};
use crate::model::Region;

/// Says what went wrong with `doing`.
pub(super) fn translate<E>(
    doing: &str,
    region: Option<&Region>,
    error: &SdkError<E, HttpResponse>,
) -> Failure
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) => by_code(doing, code, service.err().message().unwrap_or("no message")),
            None => by_status(doing, service.raw().status().as_u16()),
        },
        SdkError::DispatchFailure(failure) => {
            let mut text = format!("{doing}: AWS can't be reached");
            if let Some(region) = region {
                text = format!("{text} in the Region {region}");
            }
            let cause = failure.as_connector_error().map_or_else(|| chain(error), |e| chain(e));
            Failure::new(Kind::Settled, text).cause(cause).help(
                "check the network, the name of the Region and AWS_ENDPOINT_URL, then run the \
                 same command again; it goes on from here",
            )
        }
        SdkError::TimeoutError(_) => {
            Failure::new(Kind::Settled, format!("{doing}: AWS did not answer in time"))
                .cause(chain(error))
                .help("run the same command again; it goes on from here")
        }
        _ => Failure::new(Kind::Settled, format!("{doing}: AWS's answer can't be understood"))
            .cause(chain(error))
            .help("check AWS_ENDPOINT_URL; if it is right, please report this"),
    }
}

fn by_code(doing: &str, code: &str, message: &str) -> Failure {
    let cause = format!("{code}: {message}");
    let failure = |kind, what: &str, help: &str| {
        Failure::new(kind, format!("{doing}: {what}")).cause(cause.clone()).help(help)
    };
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => failure(
            Kind::Access,
            "the AWS credentials have expired",
            "renew them (`aws sso login`) and run the same command again; it goes on from here",
        ),
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "AuthFailure" => failure(
            Kind::Access,
            "AWS does not accept these credentials",
            "check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and this machine's clock",
        ),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => failure(
            Kind::Access,
            "a permission is missing",
            "ask for the action named above, then run the same command again; it goes on from here",
        ),
        "Throttling" | "ThrottlingException" | "TooManyRequestsException" | "SlowDown" => failure(
            Kind::Settled,
            "AWS asks us to slow down, again and again",
            "wait a minute and run the same command again; it goes on from here",
        ),
        _ => failure(
            Kind::Settled,
            "AWS refused",
            "cure the cause and run the same command again; it goes on from here",
        ),
    }
}

/// An answer to HEAD has no body, and so neither code nor message: S3 only gives a status.
fn by_status(doing: &str, status: u16) -> Failure {
    let cause = format!("the answer has status {status} and no text");
    let (kind, what, help) = match status {
        // Source: "Error responses", Amazon S3 API Reference: expired credentials are 400.
        400 => (
            Kind::Access,
            "AWS refused without saying why, as it does when credentials have expired",
            "renew them (`aws sso login`) and run the same command again; it goes on from here",
        ),
        401 | 403 => (
            Kind::Access,
            "a permission is missing, or the name belongs to somebody else",
            "check the rights of these credentials, then run the same command again; it goes on \
             from here",
        ),
        _ => (
            Kind::Settled,
            "AWS refused without saying why",
            "run the same command again; it goes on from here",
        ),
    };
    Failure::new(kind, format!("{doing}: {what}")).cause(cause).help(help)
}

/// The code of a service error.
pub(super) fn code<E, R>(error: &SdkError<E, R>) -> Option<&str>
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}

/// The message of a service error; read only where one code stands for several things.
pub(super) fn message<E, R>(error: &SdkError<E, R>) -> &str
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => service.err().message().unwrap_or_default(),
        _ => "",
    }
}

/// An error with its sources, in one line, without saying the same thing twice.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(current) = next {
        let text = current.to_string();
        if words.last().is_none_or(|last| !last.contains(&text)) {
            words.push(text);
        }
        next = current.source();
    }
    words.join(": ")
}
