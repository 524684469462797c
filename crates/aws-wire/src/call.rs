//! One call: an operation with its fields.

use std::fmt;

use aws_smithy_http::{label, query};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

use crate::services::{Protocol, Service};

/// A question to a service.
#[derive(Clone)]
pub struct Call {
    pub(crate) operation: &'static str,
    method: &'static str,
    path: String,
    fields: Vec<(String, String)>,
    body: Option<(&'static str, String)>,
}

// What is asked may be a secret.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)
    }
}

impl Call {
    fn new(operation: &'static str, method: &'static str, path: String) -> Self {
        Self { operation, method, path, fields: Vec::new(), body: None }
    }

    /// An operation of a service that takes JSON 1.1.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn json(operation: &'static str, asked: Value) -> Self {
        let call = Self::new(operation, "POST", "/".into());
        Self { body: Some(("application/x-amz-json-1.1", asked.to_string())), ..call }
    }

    /// An operation of a service that takes forms.
    #[must_use]
    pub fn form(operation: &'static str) -> Self {
        Self::new(operation, "POST", "/".into())
    }

    /// An operation by its address: the parts of a path, each as it is meant.
    #[must_use]
    pub fn rest(operation: &'static str, method: &'static str, path: &[&str]) -> Self {
        let encoded = |part: &&str| label::fmt_string(part, label::EncodingStrategy::Default);
        let path: Vec<String> = path.iter().map(encoded).collect();
        Self::new(operation, method, format!("/{}", path.join("/")))
    }

    /// Adds a field to the form or to the address.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a field, if there is a value for it.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list to a form.
    #[must_use]
    pub fn list<T: AsRef<str>>(self, name: &str, values: &[T]) -> Self {
        values.iter().zip(1..).fold(self, |call, (value, number)| {
            call.with(format!("{name}.member.{number}"), value.as_ref())
        })
    }

    /// Sends JSON along.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn body(self, asked: Value) -> Self {
        Self { body: Some(("application/json", asked.to_string())), ..self }
    }

    /// Sends XML along.
    #[must_use]
    pub fn xml(self, text: String) -> Self {
        Self { body: Some(("application/xml", text)), ..self }
    }

    /// Sends bytes along whose meaning only the other side knows.
    #[must_use]
    pub fn bytes(self, text: String) -> Self {
        Self { body: Some(("application/octet-stream", text)), ..self }
    }

    pub(crate) fn request(self, service: &Service) -> Result<HttpRequest, BoxError> {
        let mut fields: Vec<String> = Vec::new();
        let pair = |name: &str, value: &str| {
            format!("{}={}", query::fmt_string(name), query::fmt_string(value))
        };
        if let Protocol::Query(version) = service.protocol {
            fields.extend([pair("Action", self.operation), pair("Version", version)]);
        }
        fields.extend(self.fields.iter().map(|(name, value)| pair(name, value)));
        let fields = fields.join("&");
        let (uri, body) = match service.protocol {
            Protocol::Query(_) => (self.path, Some(("application/x-www-form-urlencoded", fields))),
            _ if fields.is_empty() => (self.path, self.body),
            _ => (format!("{}?{fields}", self.path), self.body),
        };
        let mut request = HttpRequest::empty();
        request.set_method(self.method)?;
        request.set_uri(uri)?;
        if let Protocol::Json(prefix) = service.protocol {
            let target = format!("{prefix}.{}", self.operation);
            request.headers_mut().try_insert("x-amz-target", target)?;
        }
        if let Some((media, body)) = body {
            request.headers_mut().try_insert("content-type", media)?;
            request.headers_mut().try_insert("content-length", body.len().to_string())?;
            *request.body_mut() = SdkBody::from(body);
        }
        Ok(request)
    }
}
