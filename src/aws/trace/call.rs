//! What a request says of itself: service, operation, Region, attempt.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::pseudonym::Pseudonyms;
use super::{Attempt, routes, shape};

/// The attempt, as far as the request shows it.
pub(super) fn asked(request: &HttpRequest, pseudonyms: &Pseudonyms) -> Attempt {
    let header = |name: &str| request.headers().get(name).unwrap_or_default();
    let (region, service) = scope(header("authorization"));
    let media = header("content-type");
    let body = request.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let body = body.unwrap_or_default();
    let form = media.starts_with("application/x-www-form-urlencoded");
    let operation = match header("x-amz-target").rsplit_once('.') {
        Some((_, operation)) => operation.to_owned(),
        None if form => body
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
            .unwrap_or("POST")
            .to_owned(),
        None => routes::operation(service, request.method(), request.uri()),
    };
    let shown = match media {
        // What is stored in S3 is content, not a question.
        _ if service == "s3" || body.is_empty() => Value::Null,
        _ if form => shape::of_form(body, pseudonyms),
        media if media.contains("json") => read_json(body, pseudonyms),
        media if media.contains("xml") => shape::of_xml(body, pseudonyms).unwrap_or_default(),
        _ => json!("bytes"),
    };
    Attempt {
        service: service.to_owned(),
        operation,
        region: region.to_owned(),
        attempt: attempt(header("amz-sdk-request")),
        format: "none".into(),
        request: shown,
        ..Attempt::default()
    }
}

fn read_json(text: &str, pseudonyms: &Pseudonyms) -> Value {
    let value = serde_json::from_str::<Value>(text);
    value.map_or_else(|_| json!("unreadable"), |value| shape::of_json(&value, pseudonyms))
}

/// Region and service of `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope(authorization: &str) -> (&str, &str) {
    let credential = authorization.split("Credential=").nth(1).unwrap_or_default();
    let parts: Vec<&str> = credential.split(',').next().unwrap_or_default().split('/').collect();
    match parts.as_slice() {
        [.., region, service, _] => (region, service),
        _ => ("", "unsigned"),
    }
}

/// The number in `attempt=2; max=8`.
fn attempt(header: &str) -> u32 {
    let said = header.split(';').find_map(|part| part.trim().strip_prefix("attempt="));
    said.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// Adds the status and headers of the response.
pub(super) fn headed(attempt: &mut Attempt, response: &HttpResponse) {
    let header = |name: &str| response.headers().get(name);
    attempt.status = Some(response.status().as_u16());
    let ids = ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"];
    attempt.request_id = ids.iter().find_map(|name| header(name)).map(str::to_owned);
    if !response.status().is_success() {
        let said = header("x-amzn-errortype").map(|code| plain_code(code).to_owned());
        attempt.error = said.or_else(|| Some(format!("status {}", response.status().as_u16())));
    }
}

/// Whether the body may be read here: what is fetched from S3 passes through as it comes.
pub(super) fn is_readable(attempt: &Attempt) -> bool {
    let refused = attempt.status.is_some_and(|status| status >= 300);
    attempt.service != "s3" || refused || attempt.operation.starts_with("List")
}

/// Adds the body.
pub(super) fn bodied(attempt: &mut Attempt, body: &[u8], pseudonyms: &Pseudonyms) {
    let text = std::str::from_utf8(body).unwrap_or_default().trim_start();
    let (format, shown) = if body.is_empty() {
        ("none", Value::Null)
    } else if text.starts_with('<') {
        ("xml", shape::of_xml(text, pseudonyms).unwrap_or_default())
    } else if let Ok(value) = serde_json::from_str::<Value>(text) {
        // Also where a body has bytes of its own, as the response of a function.
        ("json", shape::of_json(&value, pseudonyms))
    } else {
        ("bytes", json!("bytes"))
    };
    attempt.format = format.into();
    if attempt.error.is_some()
        && let Some(code) = code(&shown)
    {
        attempt.error = Some(code);
    }
    attempt.response = shown;
}

/// The code of a refusal, wherever its protocol has it.
fn code(shown: &Value) -> Option<String> {
    let paths = ["/__type", "/code", "/Code", "/ErrorResponse/Error/Code", "/Error/Code"];
    let found = paths.iter().find_map(|path| shown.pointer(path)?.as_str());
    found.map(|code| plain_code(code).to_owned())
}

/// Without name space and address: `com.amazonaws.x#Code:http://…`.
fn plain_code(code: &str) -> &str {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default()
}
