//! What AWS is asked, and what is made of its answers; for what no emulator does.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::body::SdkBody;

use super::*;

struct Answer {
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: String,
}

fn answer(status: u16, body: impl Into<String>) -> Answer {
    Answer { status, headers: &[], body: body.into() }
}

/// An account that gives these answers one after the other.
fn config(answers: Vec<Answer>) -> (SdkConfig, StaticReplayClient) {
    let event = |answer: Answer| {
        let request = http::Request::builder().uri("https://x/").body(SdkBody::empty());
        let mut response = http::Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(*name, *value);
        }
        let response = response.body(SdkBody::from(answer.body)).expect("an answer");
        ReplayEvent::new(request.expect("a request"), response)
    };
    let replay = StaticReplayClient::new(answers.into_iter().map(event).collect());
    let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(replay.clone())
        .retry_config(RetryConfig::disabled())
        .build();
    (config, replay)
}

const CALLER: &str = "arn:aws:sts::111122223333:assumed-role/Admin/ann";

fn account(answers: Vec<Answer>) -> (Examiner, StaticReplayClient) {
    let (config, replay) = config(answers);
    (examiner(&config, CALLER), replay)
}

fn examiner(config: &SdkConfig, caller: &str) -> Examiner {
    let clock = Arc::new(crate::aws::WallClock(std::time::Instant::now()));
    Examiner::new(config, config, caller, Arc::new(Ses::new(config, clock)))
}

/// A form as it was sent, decoded as far as ARNs need it.
fn form(replay: &StaticReplayClient, at: usize) -> String {
    let request = replay.actual_requests().nth(at).expect("a request");
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
    body.replace("%3A", ":").replace("%2F", "/").replace("%2A", "*")
}

#[tokio::test]
async fn stacks_are_counted_without_those_that_are_gone() {
    let limits = "<DescribeAccountLimitsResponse><DescribeAccountLimitsResult><AccountLimits>\
                  <member><Name>StackOutputsLimit</Name><Value>60</Value></member>\
                  <member><Name>StackLimit</Name><Value>2000</Value></member>\
                  </AccountLimits></DescribeAccountLimitsResult></DescribeAccountLimitsResponse>";
    let stack = |status: &str| {
        format!(
            "<member><StackName>a</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
             <StackStatus>{status}</StackStatus></member>"
        )
    };
    let page = |stacks: &str, next: &str| {
        answer(
            200,
            format!(
                "<ListStacksResponse><ListStacksResult><StackSummaries>{stacks}</StackSummaries>\
                 {next}</ListStacksResult></ListStacksResponse>"
            ),
        )
    };
    let first = format!("{}{}", stack("CREATE_COMPLETE"), stack("DELETE_COMPLETE"));
    let (examiner, _) = account(vec![
        answer(200, limits),
        page(&first, "<NextToken>more</NextToken>"),
        page(&stack("ROLLBACK_COMPLETE"), ""),
    ]);
    let usage = examiner.usage(Quota::Stacks(Place::Home)).await.expect("a count");
    assert_eq!(usage, Usage { used: 2, limit: Some(2000) });
}

#[tokio::test]
async fn a_quota_that_may_not_be_read_is_not_known_and_what_is_taken_is() {
    let list = "<DistributionList><Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false\
                </IsTruncated><Quantity>0</Quantity></DistributionList>";
    let quota = r#"{"Quota": {"QuotaCode": "L-24B04930", "Value": 500.0}}"#;
    let (examiner, replay) = account(vec![answer(200, list), answer(200, quota)]);
    let usage = examiner.usage(Quota::Distributions).await.expect("a count");
    assert_eq!(usage, Usage { used: 0, limit: Some(500) });
    assert!(form(&replay, 1).contains(r#""QuotaCode":"L-24B04930""#));
    let denied = r#"{"__type": "AccessDeniedException"}"#;
    let (examiner, _) = account(vec![answer(200, list), answer(400, denied)]);
    let usage = examiner.usage(Quota::Distributions).await.expect("a count");
    assert_eq!(usage, Usage { used: 0, limit: None });
}

#[tokio::test]
async fn the_rate_of_api_gateway_is_the_home_regions() {
    let quota = r#"{"Quota": {"QuotaCode": "L-8A5B8E43", "Value": 2500.0}}"#;
    let (examiner, replay) = account(vec![answer(200, quota)]);
    let usage = examiner.usage(Quota::GatewayRate).await.expect("a rate");
    assert_eq!(usage, Usage { used: 0, limit: Some(2500) });
    let asked = form(&replay, 0);
    assert!(asked.contains(r#""ServiceCode":"apigateway""#), "{asked}");
    assert!(asked.contains(r#""QuotaCode":"L-8A5B8E43""#), "{asked}");
}

#[tokio::test]
async fn even_a_refusal_tells_the_time() {
    let expired = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>m</Message>\
                   </Error></ErrorResponse>";
    let headers: &[(&str, &str)] = &[("date", "Thu, 01 Jan 2026 00:00:00 GMT")];
    let (examiner, _) = account(vec![Answer { status: 403, headers, body: expired.into() }]);
    let ahead = examiner.clock_ahead().await.expect("a time");
    let begin = 1_767_225_600;
    #[expect(clippy::disallowed_methods, reason = "it compares the clock of this machine")]
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    assert!((now - begin - ahead).abs() <= 5, "{ahead}");
    let (examiner, _) = account(vec![answer(403, expired)]);
    assert!(examiner.clock_ahead().await.is_err(), "no time was told");
}

fn role() -> Answer {
    answer(
        200,
        "<GetRoleResponse><GetRoleResult><Role><Path>/team/</Path><RoleName>Admin</RoleName>\
         <RoleId>AROA</RoleId><Arn>arn:aws:iam::111122223333:role/team/Admin</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate></Role></GetRoleResult></GetRoleResponse>",
    )
}

fn results(results: &[(&str, &str, &str)]) -> Answer {
    let one = |(action, decision, more): &(&str, &str, &str)| {
        format!(
            "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>\
             arn:aws:s3:::pond-example</EvalResourceName><EvalDecision>{decision}</EvalDecision>\
             {more}</member>"
        )
    };
    let all: String = results.iter().map(one).collect();
    answer(
        200,
        format!(
            "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult>\
             <EvaluationResults>{all}</EvaluationResults><IsTruncated>false</IsTruncated>\
             </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        ),
    )
}

fn wish() -> Wish {
    Wish {
        actions: vec!["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject"],
        resources: vec!["arn:aws:s3:::pond-*".into()],
        conditions: vec![("aws:ResourceTag/spaceduck:install", vec!["pond".into()])],
    }
}

#[tokio::test]
async fn what_the_simulator_says_is_sorted_by_its_cure() {
    let organisation = "<OrganizationsDecisionDetail><AllowedByOrganizations>false\
                        </AllowedByOrganizations></OrganizationsDecisionDetail>";
    let (examiner, replay) = account(vec![
        role(),
        results(&[
            ("s3:GetObject", "allowed", ""),
            ("s3:PutObject", "implicitDeny", ""),
            ("s3:ListBucket", "explicitDeny", ""),
            ("s3:DeleteObject", "implicitDeny", organisation),
        ]),
    ]);
    let denied = examiner.denied(&[wish()]).await.expect("an answer");
    let one = |action: &str, forbidden| Denied {
        action: action.into(),
        resource: "arn:aws:s3:::pond-*".into(),
        forbidden,
    };
    assert_eq!(
        denied,
        [one("s3:DeleteObject", true), one("s3:ListBucket", true), one("s3:PutObject", false)]
    );
    // The role is asked about where it lies, and about one thing of each kind.
    let form = form(&replay, 1);
    for part in [
        "PolicySourceArn=arn:aws:iam::111122223333:role/team/Admin",
        "ActionNames.member.2=s3:PutObject",
        "ResourceArns.member.1=arn:aws:s3:::pond-example",
        "ContextEntries.member.1.ContextKeyName=aws:ResourceTag/spaceduck:install",
        "ContextEntries.member.1.ContextKeyValues.member.1=pond",
        "ContextEntries.member.1.ContextKeyType=string",
    ] {
        assert!(form.contains(part), "{part} is not in {form}");
    }
}

#[tokio::test]
async fn who_may_not_simulate_knows_nothing_and_root_needs_not_ask() {
    let refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message>\
                   </Error></ErrorResponse>";
    let (told, _) = account(vec![role(), answer(403, refused)]);
    let failure = told.denied(&[wish()]).await.expect_err("refused");
    assert!(failure.cause.as_deref().is_some_and(|cause| cause.contains("not you")));
    let (config, _) = config(vec![]);
    let root = examiner(&config, "arn:aws:iam::111122223333:root");
    assert_eq!(root.denied(&[wish()]).await, Ok(vec![]));
}

#[tokio::test]
async fn a_name_of_a_managed_policy_is_looked_for_below_every_path() {
    let page = |name: &str, path: &str| {
        format!(
            "<ListPoliciesResponse><ListPoliciesResult><IsTruncated>false</IsTruncated><Policies>\
             <member><PolicyName>{name}</PolicyName><Path>{path}</Path></member></Policies>\
             </ListPoliciesResult></ListPoliciesResponse>"
        )
    };
    let (there, other) = (page("pond-boundary", "/team/"), page("pond-b-boundary", "/spaceduck/"));
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
    let answers = vec![answer(200, &there), answer(200, &other), answer(403, denied)];
    let (examiner, _) = account(answers);
    let look = || examiner.is_taken(Place::Home, Thing::ManagedPolicy, "pond-boundary");
    assert_eq!(look().await, Ok(true));
    assert_eq!(look().await, Ok(false));
    assert!(look().await.is_err());
}

#[tokio::test]
async fn a_name_of_a_log_delivery_is_looked_for() {
    let gone = Answer {
        status: 400,
        headers: &[("x-amzn-errortype", "ResourceNotFoundException")],
        body: r#"{"__type": "ResourceNotFoundException", "message": "none"}"#.into(),
    };
    let there = r#"{"deliverySource": {"name": "pond-duckgalaxy"}}"#;
    let denied = r#"{"__type": "AccessDeniedException", "message": "not you"}"#;
    let (examiner, _) = account(vec![gone, answer(200, there), answer(400, denied)]);
    let look = || examiner.is_taken(Place::Edge, Thing::DeliverySource, "pond-duckgalaxy");
    assert_eq!(look().await, Ok(false));
    assert_eq!(look().await, Ok(true));
    assert!(look().await.is_err());
}
