//! SDK errors → our failures, distinguished by code; messages are read only where AWS has no code.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{attempt, network};
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
    if let Some(what) = error.raw_response().and_then(page) {
        return Failure::new(Kind::Settled, format!("{doing}: AWS does not answer here"))
            .cause(what)
            .help(network::CAPTIVE_HELP);
    }
    match error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) => {
                by_code(doing, region, code, service.err().message().unwrap_or("no message"))
            }
            None => by_status(doing, service.raw().status().as_u16()),
        },
        SdkError::DispatchFailure(failure) => {
            if let Some(lost) = failure.as_connector_error().and_then(attempt::refusal) {
                return lost;
            }
            let mut text = format!("{doing}: AWS can't be reached");
            if let Some(region) = region {
                text = format!("{text} in the Region {region}");
            }
            let cause = failure.as_connector_error().map_or_else(|| chain(error), |e| chain(e));
            let help = network::help(&cause).unwrap_or_else(|| {
                "check the network, the name of the Region and AWS_ENDPOINT_URL, then run the \
                 same command again; it resumes where it stopped"
                    .into()
            });
            Failure::new(Kind::Settled, text).cause(cause).help(help)
        }
        SdkError::TimeoutError(_) => {
            Failure::new(Kind::Settled, format!("{doing}: AWS did not answer in time"))
                .cause(chain(error))
                .help("run the same command again; it resumes where it stopped")
        }
        _ => Failure::new(Kind::Settled, format!("{doing}: AWS's answer can't be understood"))
            .cause(chain(error))
            .help("check AWS_ENDPOINT_URL; if it is right, please report this"),
    }
}

/// A web page where AWS should answer.
fn page(response: &HttpResponse) -> Option<String> {
    let kind = response.headers().get("content-type");
    // S3 redirects without a page, and says where to with headers of its own.
    if response.headers().get("x-amz-request-id").is_some() {
        return None;
    }
    network::captive(response.status().as_u16(), kind, response.body().bytes().unwrap_or_default())
}

/// Codes that ask for fewer requests. Source: the retry behaviour of the AWS SDKs, "Throttling
/// errors", and the services' own lists of common errors.
const THROTTLED: [&str; 13] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Codes of faults on AWS's side, from the same places.
const FAULTS: [&str; 9] = [
    "InternalError",
    "InternalErrorException",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "ServiceException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

fn by_code(doing: &str, region: Option<&Region>, code: &str, message: &str) -> Failure {
    let cause = format!("{code}: {message}");
    let failure = |kind, what: &str, help: &str| {
        Failure::new(kind, format!("{doing}: {what}")).cause(cause.clone()).help(help)
    };
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => failure(
            Kind::Access,
            "the AWS credentials have expired",
            "renew them (`aws sso login`) and run the same command again; it resumes",
        ),
        // A Region that the account has not enabled says the same of good credentials. Source:
        // "Managing AWS STS in an AWS Region", IAM User Guide.
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidToken" => failure(
            Kind::Access,
            "AWS does not accept these credentials",
            &format!(
                "check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; if {} is an \
                 opt-in Region, enable it in the console under Account, AWS Regions",
                region.map_or_else(|| "the Region".into(), Region::to_string)
            ),
        ),
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "AuthFailure" => failure(
            Kind::Access,
            "AWS does not accept these credentials",
            "check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and this machine's clock",
        ),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => failure(
            Kind::Access,
            "a permission is missing",
            // Some services say no more than that.
            if message.contains("perform: ") {
                "ask for the action named above, then run the same command again; it resumes"
            } else {
                "`spaceduck doctor` names the permissions that are missing; add them and run the \
                 same command again; it resumes"
            },
        ),
        code if THROTTLED.contains(&code) => failure(
            Kind::Settled,
            "AWS asks us to slow down, again and again",
            "wait a minute and run the same command again; it resumes where it stopped",
        ),
        code if FAULTS.contains(&code) => failure(
            Kind::Settled,
            "AWS has a fault of its own, again and again",
            "wait some minutes and run the same command again; it resumes where it stopped. \
             https://health.aws.amazon.com/health/status lists larger outages",
        ),
        _ => failure(
            Kind::Settled,
            "AWS refused",
            "fix the problem and run the command again; it resumes where it stopped",
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
            "renew them (`aws sso login`) and run the same command again; it resumes",
        ),
        401 | 403 => (
            Kind::Access,
            "a permission is missing, or another account owns the name",
            "check the rights of these credentials and run the same command again; it resumes",
        ),
        429 | 503 => (
            Kind::Settled,
            "AWS asks us to slow down, or has a fault of its own, again and again",
            "wait some minutes and run the same command again; it resumes where it stopped",
        ),
        _ => (
            Kind::Settled,
            "AWS refused without saying why",
            "run the same command again; it resumes where it stopped",
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

/// The message of a service error; read only where one code has several meanings.
pub(super) fn message<E, R>(error: &SdkError<E, R>) -> &str
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => service.err().message().unwrap_or_default(),
        _ => "",
    }
}

/// An error with its sources, in one line, without repetition.
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

#[cfg(test)]
mod tests {
    use super::{FAULTS, THROTTLED, by_code, by_status};
    use crate::failure::Kind;
    use crate::model::Region;

    #[test]
    fn what_aws_says_is_told_with_what_to_do() {
        let region = Region::parse("eu-south-1").unwrap();
        let denied = "User: x is not authorized to perform: s3:GetObject";
        for (code, message, kind, says) in [
            ("InvalidClientTokenId", "it is invalid", Kind::Access, "if eu-south-1 is an opt-in"),
            ("UnrecognizedClientException", "", Kind::Access, "if eu-south-1 is an opt-in Region"),
            ("InvalidToken", "", Kind::Access, "if eu-south-1 is an opt-in Region"),
            ("SignatureDoesNotMatch", "", Kind::Access, "this machine's clock"),
            ("ExpiredToken", "", Kind::Access, "renew them"),
            ("AccessDenied", denied, Kind::Access, "ask for the action named above"),
            ("AccessDenied", "Access Denied", Kind::Access, "`spaceduck doctor` names"),
            ("Unheard", "of", Kind::Settled, "fix the problem"),
        ] {
            let failure = by_code("reading", Some(&region), code, message);
            let told = failure.to_text();
            assert_eq!(failure.kind, kind, "{told}");
            assert!(told.contains(says) && told.contains(code), "{told}");
        }
        for code in THROTTLED.into_iter().chain(FAULTS) {
            let told = by_code("reading", None, code, "").to_text();
            assert!(told.contains("again and again") && told.contains("run the same"), "{told}");
        }
        for status in [400, 403, 429, 500, 503] {
            assert!(by_status("reading", status).to_text().contains("run the same command again"));
        }
    }
}
