//! A fake AWS for unit tests: returns its answers in order, and checks every request against the
//! service's model, so that even what no emulator supports is at least requested correctly.
//!
//! By hand, because the SDK's own replay client can't give an answer that depends on the request.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared as _;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// In an answer, the token that the last question which had one came with.
pub(super) const TOKEN: &str = "{token}";

/// A question as the model reads it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) operation: String,
    pub(super) params: Value,
}

#[derive(Debug, Default)]
struct Played {
    answers: VecDeque<(u16, String)>,
    asked: Vec<Value>,
    token: String,
}

/// The fake.
#[derive(Clone, Debug)]
pub(super) struct Script(Arc<Mutex<Played>>);

/// Settings for clients of a fake with these answers: status and body.
pub(super) fn script(answers: &[(u16, String)]) -> (SdkConfig, Script) {
    let answers = answers.iter().cloned().collect();
    let script = Script(Arc::new(Mutex::new(Played { answers, ..Played::default() })));
    let credentials = Credentials::new("test", "test", None, None, "test");
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws_config::Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .http_client(script.clone())
        .build();
    (config, script)
}

impl Script {
    /// The requests. Every expected one has to be made, and as recorded.
    pub(super) fn judged(&self) -> Vec<Asked> {
        let played = self.0.lock().unwrap();
        assert!(played.answers.is_empty(), "never asked for: {:#?}", played.answers);
        let said = model(&[], &Value::Array(played.asked.clone()));
        let judged = said.as_array().unwrap().iter().map(|one| {
            assert_eq!(one["wrong"], json!([]), "{one}");
            let operation = one["operation"].as_str().unwrap().to_owned();
            Asked { operation, params: one["params"].clone() }
        });
        judged.collect()
    }

    /// The number of requests.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }

    /// Where the last request went.
    pub(super) fn address(&self) -> String {
        let asked = &self.0.lock().unwrap().asked;
        asked.last().and_then(|asked| asked["uri"].as_str()).unwrap_or_default().to_owned()
    }

    /// The names of the operations, in order.
    pub(super) fn operations(&self) -> Vec<String> {
        self.judged().into_iter().map(|asked| asked.operation).collect()
    }
}

/// The values that a service's model lists for a type.
pub(super) fn values(service: &str, shape: &str) -> Vec<String> {
    let said = model(&["values", service, shape], &json!([]));
    said.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Service, method, address and name of each operation of these services, a line each.
pub(super) fn routes(services: &[&str]) -> Vec<String> {
    let said = model(&[&["routes"], services].concat(), &json!([]));
    said.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// Names and addresses of a service, as the model has them.
pub(super) fn addresses(service: &str) -> Value {
    model(&["addresses", service], &json!([]))
}

/// What the model has against a question.
pub(super) fn complaints(question: &Value) -> Vec<String> {
    let said = model(&[], &json!([question]));
    let wrong = said[0]["wrong"].as_array().unwrap().iter();
    wrong.map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn model(arguments: &[&str], requests: &Value) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "there are no service models: run `cargo xtask setup` first");
    let mut judge = Command::new(python)
        .arg(root.join("tests/judge.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(requests.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&judge.wait_with_output().unwrap().stdout).unwrap()
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let headers: BTreeMap<&str, &str> = request.headers().iter().collect();
        let asked = json!({
            "method": request.method(), "uri": request.uri(), "headers": headers, "body": body,
        });
        let mut played = self.0.lock().unwrap();
        if let Some((_, rest)) = body.split_once("ClientRequestToken=") {
            played.token = rest.split('&').next().unwrap_or_default().to_owned();
        }
        played.asked.push(asked);
        let (status, text) =
            played.answers.pop_front().unwrap_or_else(|| panic!("nobody expected {body}"));
        let text = text.replace(TOKEN, &played.token);
        let status = status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(text))))
    }
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

/// An answer of a service that speaks XML.
pub(super) fn xml(operation: &str, inner: &str) -> (u16, String) {
    let text = format!(
        "<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    );
    (200, text)
}

/// An error in the format of such a service.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> (u16, String) {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, format!("<ErrorResponse>{error}</ErrorResponse>"))
}
