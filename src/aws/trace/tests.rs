//! A trace has every attempt, says nothing that is secret, and never stands in a call's way.

use std::io::{Error, Write};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::json;

use super::*;
use crate::aws::parameters::Parameters;
use crate::aws::replay::{Script, refusal, routes, script, xml};

/// A file in memory that takes so many lines and then is full.
#[derive(Clone, Debug, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>, usize);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut written = self.0.lock().unwrap();
        let lines = String::from_utf8_lossy(&written).lines().count();
        if lines >= self.1 {
            return Err(Error::from(std::io::ErrorKind::StorageFull));
        }
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.text().lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn head() -> Head {
    Head { trace: FORMAT.into(), version: "1".into(), command: "test".into(), started_at: 1 }
}

/// Settings whose calls are answered by a script and traced, with room for so many lines.
fn written(
    answers: &[(u16, String)],
    lines: usize,
) -> (SdkConfig, Script, Paper, Arc<Mutex<Vec<String>>>) {
    let (config, script) = script(answers);
    let paper = Paper(Arc::default(), lines);
    let broken = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&broken);
    let tell = move |cause| told.lock().unwrap().push(cause);
    let trace = Trace::new(Box::new(paper.clone()), &head(), Box::new(tell)).unwrap();
    (traced(&config, &Arc::new(trace)), script, paper, broken)
}

const STACK: &str = "<Stacks><member><StackId>arn:aws:cloudformation:eu-central-1:111122223333:\
                     stack/pond-data/1</StackId><StackName>pond-data</StackName><CreationTime>\
                     2026-11-29T10:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>\
                     </member></Stacks>";

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn the_routes_are_those_of_the_service_models() {
    let services = ["apigatewayv2", "cloudfront", "lambda", "route53", "s3", "sesv2"];
    let fresh = routes(&services).join("\n") + "\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws/trace/routes.txt");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap();
    assert!(there == fresh, "{} is out of date: cargo xtask docs", path.display());
}

#[tokio::test]
async fn every_attempt_is_a_line_with_its_refusal() {
    let denied = refusal(403, "AccessDenied", "User: arn:aws:iam::111122223333:user/ann is not");
    let (config, _, paper, _) = written(
        &[refusal(400, "Throttling", "Rate exceeded"), xml("DescribeStacks", STACK), denied],
        99,
    );
    let client = aws_sdk_cloudformation::Client::new(&config);
    for _ in 0..2 {
        let _ = client.describe_stacks().stack_name("pond-data").send().await;
    }
    let lines = paper.attempts();
    let told: Vec<_> = lines
        .iter()
        .map(|one| (one.operation.as_str(), one.attempt, one.status, one.error.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("DescribeStacks", 1, Some(400), Some("Throttling")),
            ("DescribeStacks", 2, Some(200), None),
            ("DescribeStacks", 1, Some(403), Some("AccessDenied")),
        ]
    );
    assert!(lines.iter().all(|one| one.region == "eu-central-1"), "{lines:?}");
    let found = &lines[1].response["DescribeStacksResponse"]["DescribeStacksResult"];
    let stack = &found["Stacks"]["member"];
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stack["StackName"], lines[0].request["StackName"], "one id has one pseudonym");
    for word in ["111122223333", "ann", "pond", "2026-11-29T10"] {
        assert!(!paper.text().contains(word), "{word}: {}", paper.text());
    }
}

#[tokio::test]
async fn json_and_rest_are_named_and_secrets_left_out() {
    let parameter = json!({"Parameter": {"Name": "/pond/x", "Type": "String", "Value": "s3cr3t"}});
    let (config, _, paper, _) = written(
        &[
            (200, parameter.to_string()),
            (400, json!({"__type": "com.amazonaws.ssm#ParameterNotFound"}).to_string()),
            (200, json!({"SendingEnabled": true}).to_string()),
        ],
        99,
    );
    let parameters = Parameters::new(&config);
    let read = parameters.get("/pond/x", true).await.unwrap().unwrap();
    assert_eq!(read.value.as_deref(), Some("s3cr3t"));
    assert!(parameters.get("/pond/y", false).await.unwrap().is_none());
    aws_sdk_sesv2::Client::new(&config).get_account().send().await.unwrap();
    let lines = paper.attempts();
    let told: Vec<_> = lines
        .iter()
        .map(|one| (one.service.as_str(), one.operation.as_str(), one.error.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("ssm", "GetParameter", None),
            ("ssm", "GetParameter", Some("ParameterNotFound")),
            ("ses", "GetAccount", None),
        ]
    );
    assert!(!paper.text().contains("s3cr3t"), "{}", paper.text());
}

#[tokio::test]
async fn a_full_disk_ends_the_trace_and_not_the_calls() {
    let answer = xml("DescribeStacks", STACK);
    let (config, script, paper, broken) = written(&[answer.clone(), answer.clone(), answer], 2);
    let client = aws_sdk_cloudformation::Client::new(&config);
    for _ in 0..3 {
        client.describe_stacks().stack_name("pond-data").send().await.unwrap();
    }
    assert_eq!(script.count(), 3);
    assert_eq!(paper.attempts().len(), 1);
    assert_eq!(broken.lock().unwrap().len(), 1, "it is said once");
}

#[test]
fn a_file_that_can_not_be_written_is_refused() {
    let full = Paper(Arc::default(), 0);
    let refused = Trace::new(Box::new(full), &head(), Box::new(|_| {}));
    assert!(refused.is_err());
}

/// A server that never answers, that refuses connections, or whose body must not be read.
#[derive(Clone, Debug)]
enum Server {
    Silent,
    Unreachable,
    Streaming,
}

/// A body that counts as read as soon as anything asks for a part of it.
fn unreadable() -> SdkBody {
    SdkBody::taken()
}

impl HttpConnector for Server {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        match self {
            Self::Silent => HttpConnectorFuture::new(std::future::pending()),
            Self::Unreachable => HttpConnectorFuture::ready(Err(
                aws_smithy_runtime_api::client::result::ConnectorError::io("refused".into()),
            )),
            Self::Streaming => {
                let status = 200_u16.try_into().unwrap();
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, unreadable())))
            }
        }
    }
}

impl HttpClient for Server {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn served(server: Server) -> (SdkConfig, Paper) {
    let (config, _) = script(&[]);
    let retries = aws_config::retry::RetryConfig::disabled();
    let config = config.into_builder().http_client(server).retry_config(retries).build();
    let paper = Paper(Arc::default(), 99);
    let trace = Trace::new(Box::new(paper.clone()), &head(), Box::new(|_| {})).unwrap();
    (traced(&config, &Arc::new(trace)), paper)
}

#[tokio::test]
async fn attempts_without_an_answer_are_lines_too() {
    let (config, paper) = served(Server::Unreachable);
    assert!(Parameters::new(&config).get("/a", false).await.is_err());
    let lines = paper.attempts();
    assert_eq!((lines.len(), lines[0].status), (1, None));
    assert_eq!(lines[0].error.as_deref(), Some("no connection"));

    let (config, paper) = served(Server::Silent);
    let parameters = Parameters::new(&config);
    let asked = parameters.get("/a", false);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), asked).await.is_err());
    let lines = paper.attempts();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].error.as_deref(), Some("no response: the attempt was given up"));
}

#[tokio::test]
async fn what_is_fetched_from_s3_passes_through_unread() {
    let (config, paper) = served(Server::Streaming);
    let config = config.into_builder().endpoint_url("http://127.0.0.1:1").build();
    let asked = aws_sdk_s3::Client::new(&config).get_object().bucket("pond").key("a").send();
    // The body was taken already: reading it fails, and nothing here may have tried.
    assert!(asked.await.unwrap().body.collect().await.is_err());
    let lines = paper.attempts();
    assert_eq!((lines[0].operation.as_str(), lines[0].format.as_str()), ("GetObject", "bytes"));
    assert_eq!((lines[0].status, lines[0].error.as_deref()), (Some(200), None));
}
