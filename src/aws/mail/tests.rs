//! Replayed answers of SES, and requests held to the service's own model.

use std::sync::atomic::{AtomicU64, Ordering};

use galaxy_mail::facts::{Enforcement, Progress, Review};
use galaxy_mail::review::Stage;
use serde_json::{Value, json};

use super::super::replay::{Script, complaints, script};
use super::*;
use crate::failure::Kind;

/// A clock that moves only when somebody waits.
#[derive(Default)]
struct Still(AtomicU64);

#[async_trait]
impl Clock for Still {
    async fn sleep(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn now(&self) -> u64 {
        0
    }
}

/// SES, giving these answers one after the other.
fn ses(answers: &[(u16, Value)]) -> (Ses, Script, Arc<Still>) {
    let answers: Vec<_> =
        answers.iter().map(|(status, body)| (*status, body.to_string())).collect();
    let (config, script) = script(&answers);
    let clock = Arc::new(Still::default());
    (Ses::new(&config, Arc::clone(&clock) as Arc<dyn Clock>), script, clock)
}

fn details(status: &str) -> Value {
    json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": status == "GRANTED",
        "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 3.0},
        "SendingEnabled": true,
        "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        "Details": {
            "MailType": "TRANSACTIONAL",
            "WebsiteURL": "https://example.org/",
            "ReviewDetails": {"Status": status, "CaseId": "1111222233"}
        },
        "VdmAttributes": {"VdmEnabled": "DISABLED"},
        "PricingAttributes": {"CurrentPlan": "ESSENTIALS"}
    })
}

#[tokio::test]
async fn every_state_of_the_review_is_read() {
    for (status, review, stage) in [
        ("PENDING", Review::Pending, Stage::Pending),
        ("GRANTED", Review::Granted, Stage::Granted),
        ("DENIED", Review::Denied, Stage::Denied),
        ("FAILED", Review::Failed, Stage::Failed),
        ("TOMORROW", Review::Other("TOMORROW".into()), Stage::Other("TOMORROW".into())),
    ] {
        let (ses, script, _) = ses(&[(200, details(status))]);
        let account = ses.account().await.unwrap();
        assert_eq!(account.review, Some(review));
        assert_eq!(Stage::of(&account), stage);
        assert_eq!(account.case.as_deref(), Some("1111222233"));
        assert_eq!((account.per_day, account.per_second, account.sent), (200.0, 1.0, 3.0));
        assert_eq!(
            (account.suppresses, account.plan.as_deref()),
            ((true, true), Some("ESSENTIALS"))
        );
        assert_eq!(script.operations(), ["GetAccount"]);
    }
}

#[tokio::test]
async fn an_account_that_never_asked_and_one_that_was_stopped_are_read() {
    let mut never = details("PENDING");
    never.as_object_mut().unwrap().remove("Details");
    let (asked, _, _) = ses(&[(200, never.clone())]);
    assert_eq!(Stage::of(&asked.account().await.unwrap()), Stage::NeverAsked);
    for (word, enforcement) in
        [("PROBATION", Enforcement::Probation), ("SHUTDOWN", Enforcement::Shutdown)]
    {
        never["EnforcementStatus"] = word.into();
        let (ses, _, _) = ses(&[(200, never.clone())]);
        assert_eq!(ses.account().await.unwrap().enforcement, enforcement);
    }
}

fn letter() -> Letter {
    Letter {
        website: "https://example.org/".into(),
        text: "We send codes to people who sign up.".into(),
        contacts: vec!["ann@example.org".into()],
    }
}

#[tokio::test]
async fn an_application_is_as_the_model_wants_it_and_says_what_was_agreed_to() {
    let (ses, script, _) = ses(&[(200, json!({}))]);
    assert_eq!(ses.apply(&letter()).await.unwrap(), Applied::Sent);
    let [asked] = &script.judged()[..] else { panic!() };
    assert_eq!(asked.operation, "PutAccountDetails");
    let expected = json!({
        "MailType": "TRANSACTIONAL",
        "WebsiteURL": "https://example.org/",
        "ContactLanguage": "EN",
        "UseCaseDescription": "We send codes to people who sign up.",
        "AdditionalContactEmailAddresses": ["ann@example.org"],
        "ProductionAccessEnabled": true
    });
    assert_eq!(asked.params, expected);
}

#[tokio::test]
async fn an_application_is_not_sent_twice() {
    let conflict = json!({"__type": "ConflictException", "message": "an ongoing review"});
    let (busy, script, _) = ses(&[(409, conflict)]);
    assert_eq!(busy.apply(&letter()).await.unwrap(), Applied::UnderReview);
    assert_eq!(script.count(), 1);
    // Nobody knows what became of this one: it is told, not repeated.
    let broken = json!({"__type": "InternalFailure", "message": "oops"});
    let (broken, script, _) = ses(&[(500, broken)]);
    assert_eq!(broken.apply(&letter()).await.unwrap_err().kind, Kind::Settled);
    assert_eq!(script.count(), 1);
}

#[tokio::test]
async fn a_mail_domain_is_read_with_what_amazon_saw() {
    let answer = json!({
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": false,
        "VerificationStatus": "FAILED",
        "VerificationInfo": {
            "ErrorType": "HOST_NOT_FOUND",
            "SOARecord": {"PrimaryNameServer": "ns1.old.test", "SerialNumber": 7}
        },
        "DkimAttributes": {
            "SigningEnabled": true,
            "Status": "TEMPORARY_FAILURE",
            "Tokens": ["abc", "def", "ghi"],
            "SigningHostedZone": "dkim.eu-central-1.amazonses.com",
            "CurrentSigningKeyLength": "RSA_2048_BIT"
        },
        "MailFromAttributes": {
            "MailFromDomain": "bounce.example.org",
            "MailFromDomainStatus": "PENDING",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"
        }
    });
    let missing = json!({"__type": "NotFoundException", "message": "no"});
    let (ses, script, _) = ses(&[(200, answer), (404, missing)]);
    let domain = Domain::parse("example.org").unwrap();
    let identity = ses.identity(&domain).await.unwrap().unwrap();
    assert!(identity.whole_domain);
    assert_eq!((identity.verified, identity.dkim), (Progress::Failed, Progress::Lost));
    assert_eq!(identity.bits, Some(2048));
    assert_eq!(identity.error.as_deref(), Some("HOST_NOT_FOUND"));
    assert_eq!(identity.asked.as_deref(), Some("ns1.old.test"));
    let (name, value) = &identity.tokens[0];
    assert_eq!(name.as_str(), "abc._domainkey.example.org");
    assert_eq!(value.as_str(), "abc.dkim.eu-central-1.amazonses.com", "the zone that SES names");
    let bounce = Domain::parse("bounce.example.org").unwrap();
    assert_eq!(identity.mail_from, Some((bounce, Progress::Pending)));
    assert_eq!(ses.identity(&domain).await.unwrap(), None);
    assert_eq!(script.operations(), ["GetEmailIdentity"; 2]);
}

#[tokio::test]
async fn sets_invitations_and_plays_are_as_the_model_wants_them() {
    let to = |enabled: bool, kinds: &[&str], bus: bool| {
        let mut to = json!({"Name": "x", "Enabled": enabled, "MatchingEventTypes": kinds});
        if bus {
            to["EventBridgeDestination"] = json!({"EventBusArn": "arn:aws:events:x"});
        }
        to
    };
    let events = json!({"EventDestinations": [
        to(true, &["BOUNCE", "REJECT"], true),
        to(false, &["COMPLAINT"], true),
        to(true, &["DELIVERY"], false),
    ]});
    let exists = json!({"__type": "AlreadyExistsException", "message": "it is there"});
    let (ses, script, _) = ses(&[
        (200, json!({"DeliveryOptions": {"TlsPolicy": "REQUIRE"}})),
        (200, events),
        (200, json!({"VerifiedForSendingStatus": false})),
        (400, exists),
        (200, json!({"VerifiedForSendingStatus": true})),
        (200, json!({"MessageId": "0102"})),
    ]);
    let set = ses.set("spaceduck-tx").await.unwrap().unwrap();
    assert!(set.tls);
    assert_eq!(set.events, ["BOUNCE", "REJECT"], "only what is switched on and reaches the bus");
    assert_eq!(ses.invite("ann@example.org").await.unwrap(), Invited::Sent);
    assert_eq!(ses.invite("ann@example.org").await.unwrap(), Invited::Verified);
    let play = Play {
        plays: "bounce".into(),
        from: "duck@example.org".into(),
        set: "spaceduck-tx".into(),
    };
    assert_eq!(ses.play(&play).await.unwrap(), "0102");
    let operations = [
        "GetConfigurationSet",
        "GetConfigurationSetEventDestinations",
        "CreateEmailIdentity",
        "CreateEmailIdentity",
        "GetEmailIdentity",
        "SendEmail",
    ];
    assert_eq!(script.operations(), operations);
}

#[test]
fn the_judge_can_say_no_to_a_letter() {
    let asked = |method: &str, text: &str| {
        let scope = "Credential=test/20261124/eu-central-1/ses/aws4_request, x";
        let body = json!({
            "MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.org/",
            "UseCaseDescription": text
        });
        complaints(&json!({
            "method": method, "uri": "/v2/email/account/details",
            "headers": {"authorization": scope}, "body": body.to_string()
        }))
    };
    assert_eq!(asked("POST", "We send codes."), Vec::<String>::new());
    let long = asked("POST", &"x".repeat(5001));
    assert!(long[0].contains("5001 characters, 5000 are allowed"), "{long:?}");
    assert_eq!(asked("PUT", "We send codes."), ["no such operation"]);
}

#[tokio::test]
async fn one_call_a_second_whoever_asks() {
    let calls = 7;
    let (ses, _, clock) = ses(&vec![(200, details("PENDING")); calls]);
    let ses = Arc::new(ses);
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let (ses, clock) = (Arc::clone(&ses), Arc::clone(&clock));
        asking.spawn(async move { ses.account().await.map(|_| clock.elapsed()) });
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(clock.elapsed(), BETWEEN * u32::try_from(calls - 1).unwrap());
}

/// `doctor` looks for sets by the same client.
#[tokio::test]
async fn a_look_for_a_set_passes_the_gate_too() {
    let missing = json!({"__type": "NotFoundException", "message": "no"});
    let (ses, script, clock) = ses(&[(200, json!({})), (404, missing), (200, details("PENDING"))]);
    assert!(ses.has_set("spaceduck-tx").await.unwrap());
    assert!(!ses.has_set("spaceduck-news").await.unwrap());
    ses.account().await.unwrap();
    assert_eq!(clock.elapsed(), BETWEEN * 2);
    let operations = ["GetConfigurationSet", "GetConfigurationSet", "GetAccount"];
    assert_eq!(script.operations(), operations);
}

/// A quota that is used up is told in SES's words, and asking again would not help.
#[tokio::test]
async fn a_quota_that_is_used_up_is_told_and_not_tried_again() {
    let full =
        |message: &str| (400, json!({"__type": "LimitExceededException", "message": message}));
    let (ses, script, _) = ses(&[full("10,000 identities"), full("daily quota")]);
    let invited = ses.invite("ann@example.org").await.unwrap_err();
    assert!(invited.to_text().contains("10,000 identities"), "{}", invited.to_text());
    let play = Play { plays: "bounce".into(), from: "a@example.org".into(), set: "x-tx".into() };
    let played = ses.play(&play).await.unwrap_err();
    assert!(played.to_text().contains("daily quota"), "{}", played.to_text());
    assert_eq!((invited.kind, played.kind), (Kind::Settled, Kind::Settled));
    assert_eq!(script.count(), 2);
}

/// Where the API writes down what came of a mail, and nowhere else, it is looked for.
#[tokio::test]
async fn a_report_is_looked_for_where_the_api_writes_it() {
    let there = json!({"Item": {"at": {"N": "1800000000"}}});
    let (ses, script, _) = ses(&[(200, there), (200, json!({}))]);
    for (plays, at) in [("bounce", Some(1_800_000_000)), ("complaint", None)] {
        let mail = TestMail { plays: plays.into(), message_id: "0107-abc".into(), written: None };
        assert_eq!(ses.written("spaceduck-ledger", &mail).await.unwrap(), at);
    }
    for (asked, plays) in script.judged().iter().zip(["bounce", "complaint"]) {
        let key = json!({"pk": {"S": "feedback#0107-abc"}, "sk": {"S": plays}});
        let (table, asked) = (&asked.params["TableName"], &asked.params["Key"]);
        assert_eq!((table, asked), (&json!("spaceduck-ledger"), &key));
    }
}

#[tokio::test]
async fn patience_passes_the_gate_and_has_an_end() {
    let slow = json!({"__type": "TooManyRequestsException", "message": "slow down"});
    let (patient, script, clock) =
        ses(&[(429, slow.clone()), (429, slow.clone()), (200, details("PENDING"))]);
    patient.account().await.unwrap();
    assert_eq!((script.count(), clock.elapsed()), (3, BETWEEN * 2));
    let (ses, script, _) = ses(&vec![(429, slow); TRIES + 1]);
    let failure = ses.account().await.unwrap_err();
    assert!(failure.message().contains("slow down"), "{}", failure.message());
    assert_eq!(script.count(), TRIES);
}
