//! What a request asks of AWS, read off the request itself: service, operation, and whether it
//! changes anything.

use std::collections::BTreeMap;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Parts;

/// How a service's answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Forms in, XML out: `CloudFormation`, STS.
    Query,
    /// JSON with the operation in a header: Parameter Store, Cognito.
    Json,
    /// Paths in, JSON out: Lambda.
    RestJson,
    /// Paths in, XML out: `CloudFront`.
    RestXml,
    /// S3's own XML.
    S3,
    /// Somebody who looks at a galaxy from outside.
    Web,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Service and operation, such as `cloudformation CreateStack`.
    pub name: String,
    /// Whether it changes anything in the account.
    pub changes: bool,
    /// Its number among all requests since the last calm, from 1.
    pub number: usize,
    /// Its number among those that change something; of the one before it, where it does not.
    pub change: usize,
    /// `GET` and the like.
    pub method: String,
    /// Path and query.
    pub uri: String,
    /// Headers, those that are text.
    pub headers: BTreeMap<String, String>,
    /// The body, as far as it is text.
    pub body: String,
    /// What it was answered, as far as that is text; empty until it is.
    pub answer: String,
    pub(crate) dialect: Dialect,
    /// The same question has the same words.
    pub(crate) question: String,
}

/// Operations whose names begin like this only look.
const LOOKS: [&str; 5] = ["Describe", "Get", "List", "Head", "Detect"];

/// Operations that neither look by their names nor change anything: asking a function.
const HARMLESS: [&str; 3] = ["Invoke", "AdminGetUser", "SimulatePrincipalPolicy"];

impl Call {
    pub(crate) fn read(head: &Parts, body: &Bytes) -> Self {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let service = header("authorization").and_then(signed_for);
        let text = String::from_utf8_lossy(body);
        let (dialect, service, operation) = if let Some(service) = service {
            if let Some(target) = header("x-amz-target") {
                let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                (Dialect::Json, service, operation)
            } else if let Some(action) = form_field(&text, "Action") {
                (Dialect::Query, service, action.to_owned())
            } else {
                let dialect = match service.as_str() {
                    "s3" => Dialect::S3,
                    "cloudfront" | "route53" => Dialect::RestXml,
                    _ => Dialect::RestJson,
                };
                let operation = rest_operation(dialect, head);
                (dialect, service, operation)
            }
        } else {
            (Dialect::Web, "web".to_owned(), head.method.to_string())
        };
        let looks = LOOKS.iter().any(|look| operation.starts_with(look))
            || HARMLESS.contains(&operation.as_str());
        let host = header("host").unwrap_or_default();
        Self {
            name: format!("{service} {operation}"),
            changes: dialect != Dialect::Web && !looks,
            number: 0,
            change: 0,
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            headers: headers(head),
            body: text.clone().into_owned(),
            answer: String::new(),
            dialect,
            question: format!("{} {host} {} {text}", head.method, head.uri),
        }
    }
}

fn headers(head: &Parts) -> BTreeMap<String, String> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    head.headers.iter().filter_map(text).collect()
}

/// The service in a signature's scope: `…/20261124/eu-central-1/s3/aws4_request, …`.
fn signed_for(authorization: &str) -> Option<String> {
    let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
    scope.rsplit('/').nth(1).map(str::to_owned)
}

fn form_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn rest_operation(dialect: Dialect, head: &Parts) -> String {
    let query = head.uri.query().unwrap_or_default();
    if let Some(id) = form_field(query, "x-id") {
        return id.to_owned();
    }
    let path = head.uri.path().trim_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    if dialect == Dialect::S3 {
        let of_bucket = !path.contains('/');
        return match (&head.method, of_bucket) {
            (&Method::HEAD, true) => "HeadBucket".into(),
            (&Method::HEAD, false) => "HeadObject".into(),
            (&Method::GET, _) => "List".into(),
            (&Method::POST, _) => "DeleteObjects".into(),
            (&Method::DELETE, true) => "DeleteBucket".into(),
            (method, _) => method.to_string(),
        };
    }
    match (&head.method, last) {
        (&Method::GET, _) => format!("Get {last}"),
        (&Method::POST, "invocations") => "Invoke".into(),
        (&Method::POST, "invalidation") => "CreateInvalidation".into(),
        (method, _) => format!("{method} {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, uri: &str, headers: &[(&str, &str)], body: &'static str) -> Call {
        let mut request = hyper::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Call::read(&request.body(()).expect("a request").into_parts().0, &Bytes::from(body))
    }

    #[test]
    fn a_request_tells_what_it_asks() {
        let signed = |service: &str| {
            format!("AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/{service}/aws4_request, x")
        };
        let named = |service: &str, method: &str, uri: &str, body: &'static str| {
            let call = call(method, uri, &[("authorization", &signed(service))], body);
            (call.name, call.changes)
        };
        let formed = |name: &str, changes| (name.to_owned(), changes);
        assert_eq!(
            named("cloudformation", "POST", "/", "Action=CreateStack&Version=2010-05-15"),
            formed("cloudformation CreateStack", true)
        );
        assert_eq!(
            named("cloudformation", "POST", "/", "Action=DescribeStacks&StackName=a"),
            formed("cloudformation DescribeStacks", false)
        );
        assert_eq!(
            named("s3", "PUT", "/bucket/key?x-id=PutObject", ""),
            formed("s3 PutObject", true)
        );
        assert_eq!(named("s3", "HEAD", "/bucket", ""), formed("s3 HeadBucket", false));
        assert_eq!(named("s3", "POST", "/bucket/?delete", ""), formed("s3 DeleteObjects", true));
        assert_eq!(
            named("lambda", "POST", "/2015-03-31/functions/f/invocations?Qualifier=2", "{}"),
            formed("lambda Invoke", false)
        );
        assert!(named("lambda", "PUT", "/2015-03-31/functions/f/aliases/live", "{}").1);
        assert!(named("cloudfront", "POST", "/2020-05-31/distribution/E1/invalidation", "").1);
        let headers =
            [("authorization", &*signed("ssm")), ("x-amz-target", "AmazonSSM.PutParameter")];
        let parameter = call("POST", "/", &headers, "{}");
        assert_eq!((parameter.name.as_str(), parameter.changes), ("ssm PutParameter", true));
        assert!(!call("GET", "/prod/beak/metrics", &[("host", "a.localhost")], "").changes);
    }
}
