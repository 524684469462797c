//! Events that the function gets from the account's event bus: bounces and complaints from SES.
//!
//! Only the runtime decides what is an event: what comes through the gateway is a request, whatever
//! its body says. An event is untrusted input all the same: receivers write parts of it.
//!
//! Source: "Amazon SES events" in the Amazon `EventBridge` Events Reference, and "Examples of event
//! data that Amazon SES publishes" in the Amazon SES Developer Guide.

use std::collections::HashMap;

use beak_core::feedback::{Report, ReportKind};
use beak_core::person::Email;
use beak_core::ports::Feedback;
use beak_core::{BeakError, Galaxy, OffsetDateTime, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// No event on the bus is larger. Source: "Amazon `EventBridge` quotas", `EventBridge` User Guide.
const LARGEST: usize = 256 * 1024;

/// The tag in which SES names the configuration set that a mail left by.
const SET: &str = "ses:configuration-set";

/// An event from the bus, or from the queue of events that the function failed: there Lambda puts
/// a record around it. Source: "Capturing records of Lambda asynchronous invocations", AWS Lambda
/// Developer Guide.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Failed {
        #[serde(rename = "requestPayload")]
        event: Event,
        #[serde(rename = "requestContext")]
        _by: Invocation,
    },
    Plain(Event),
}

/// What no gateway says of a request.
#[derive(Deserialize)]
struct Invocation {
    #[serde(rename = "functionArn")]
    _function: IgnoredAny,
}

#[derive(Deserialize)]
struct Event {
    source: String,
    #[serde(rename = "detail-type")]
    kind: String,
    detail: Detail,
    /// What the gateway puts around a request, and no event has.
    #[serde(rename = "requestContext")]
    request: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    mail: Sent,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    message_id: String,
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
}

/// The schedule's event, as far as it is read. Source: "Tutorial: Create a scheduled rule" and
/// "Amazon `EventBridge` events", `EventBridge` User Guide.
#[derive(Deserialize)]
struct Tick {
    source: String,
    #[serde(rename = "detail-type")]
    kind: String,
    resources: Vec<String>,
    /// What the gateway puts around a request, and no event has.
    #[serde(rename = "requestContext")]
    request: Option<IgnoredAny>,
}

/// Whether an event is the minute of this galaxy's schedule.
pub(crate) fn is_sweep(body: &[u8], prefix: &str) -> bool {
    let tick = serde_json::from_slice::<Tick>(body).ok().filter(|_| body.len() <= LARGEST);
    tick.is_some_and(|tick| {
        let rule = format!(":rule/{prefix}-sweep");
        tick.source == "aws.events"
            && tick.kind == "Scheduled Event"
            && tick.request.is_none()
            && tick.resources.iter().any(|resource| resource.ends_with(&rule))
    })
}

/// Sweeps what has expired. A failure is left to the next minute. Entries that had to be put aside
/// are an error, so that the function's alarm counts them.
pub(crate) async fn sweep(galaxy: &Galaxy) -> Result<()> {
    match galaxy.sweep().await {
        Ok(swept) if swept.put_aside > 0 => {
            let error = format!("{} lapsed entries were put aside", swept.put_aside);
            tracing::error!(cause = error, "what has lapsed can't be put away");
            Err(BeakError::Internal(error))
        }
        Ok(swept) => {
            tracing::info!(found = swept.found, put_away = swept.put_away, "sweep");
            Ok(())
        }
        Err(error) => {
            tracing::error!(cause = error.cause(), "what has lapsed could not be put away");
            Ok(())
        }
    }
}

/// The configuration sets that this galaxy's mails leave by.
pub(crate) fn sets(prefix: &str) -> [String; 2] {
    ["tx", "news"].map(|part| format!("{prefix}-{part}"))
}

fn unreadable(why: &str) -> BeakError {
    BeakError::Internal(format!("an event: {why}"))
}

/// Reads an event. Nothing for one that is not about this galaxy's bounces and complaints; an
/// error for what is none, or none that can be read.
fn read(body: &[u8], sets: &[String], now: OffsetDateTime) -> Result<Option<Report>> {
    if body.len() > LARGEST {
        return Err(unreadable("too large"));
    }
    // What serde says of it may quote an address.
    let told = serde_json::from_slice(body).map_err(|_| unreadable("not one of SES"))?;
    let (Told::Failed { event, .. } | Told::Plain(event)) = told;
    if event.request.is_some() {
        return Err(unreadable("a request"));
    }
    let Detail { mail, bounce, complaint } = event.detail;
    let ours = mail.tags.get(SET).is_some_and(|named| named.iter().any(|set| sets.contains(set)));
    if event.source != "aws.ses" || !ours {
        return Ok(None);
    }
    let (kind, recipients) = match (event.kind.as_str(), bounce, complaint) {
        ("Email Bounced", Some(bounce), None) => {
            // What is not known to be for good may arrive another time.
            let for_good = bounce.bounce_type == "Permanent";
            let kind = if for_good { ReportKind::Bounce } else { ReportKind::Delay };
            (kind, bounce.bounced_recipients)
        }
        ("Email Complaint Received", None, Some(complaint)) => {
            (ReportKind::Complaint, complaint.complained_recipients)
        }
        _ => return Err(unreadable("neither a bounce nor a complaint")),
    };
    // Receivers write addresses in forms of their own; one that can't be read was none of ours.
    let emails = recipients.iter().filter_map(|to| Email::parse(&to.email_address).ok());
    let report = Report::new(&mail.message_id, kind, emails.collect(), now);
    report.map(Some).map_err(|_| unreadable("not of a mail of ours"))
}

/// Stores an event. Fails where it could not, so that the bus delivers it again and the function's
/// alarm counts it.
pub(crate) async fn take(
    feedback: &dyn Feedback,
    sets: &[String],
    body: &[u8],
    now: OffsetDateTime,
) -> Result<()> {
    let written = async {
        let Some(report) = read(body, sets, now)? else {
            tracing::warn!("an event was left alone: it is not about a mail of this galaxy");
            return Ok(());
        };
        let new = feedback.report(&report).await?;
        let (kind, mail) = (report.kind().word(), report.message_id());
        tracing::info!(kind, mail, new, recipients = report.recipients().len(), "feedback");
        Ok(())
    };
    let written: Result<()> = written.await;
    if let Err(error) = &written {
        tracing::error!(cause = error.cause(), "an event was not written down");
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_this_galaxys_schedule_sweeps() {
        let tick = |resource: &str| {
            json!({
                "version": "0",
                "id": "12345678-1234-1234-1234-123456789012",
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": "111122223333",
                "time": "2026-11-29T10:00:00Z",
                "region": "eu-central-1",
                "resources": [resource],
                "detail": {},
            })
        };
        let is_sweep = |event: &Value| super::is_sweep(event.to_string().as_bytes(), "swan");
        let ours = "arn:aws:events:eu-central-1:111122223333:rule/swan-sweep";
        assert!(is_sweep(&tick(ours)));
        assert!(!is_sweep(&tick("arn:aws:events:eu-central-1:111122223333:rule/black-swan")));
        assert!(!is_sweep(&tick("arn:aws:events:eu-central-1:111122223333:rule/crane-sweep")));
        let mut request = tick(ours);
        request["requestContext"] = json!({});
        assert!(!is_sweep(&request));
        let mut other = tick(ours);
        other["source"] = json!("swan.custom");
        assert!(!is_sweep(&other));
    }

    fn ours() -> [String; 2] {
        sets("swan")
    }

    fn tell(event: &Value) -> Result<Option<Report>> {
        read(event.to_string().as_bytes(), &ours(), OffsetDateTime::UNIX_EPOCH)
    }

    fn event(kind: &str, detail: &Value) -> Value {
        json!({
            "version": "0",
            "id": "12345678-1234-1234-1234-123456789012",
            "detail-type": kind,
            "source": "aws.ses",
            "account": "111122223333",
            "time": "2027-01-15T08:00:00Z",
            "region": "eu-central-1",
            "resources": ["arn:aws:ses:eu-central-1:111122223333:configuration-set/swan-tx"],
            "detail": detail
        })
    }

    fn mail() -> Value {
        json!({
            "timestamp": "2027-01-15T08:00:00.000Z",
            "source": "Space Duck <duck@example.org>",
            "messageId": "0107018f-abc-000000",
            "destination": ["swan@example.com"],
            "headers": [{"name": "Subject", "value": "Your \"Space Duck\" code"}],
            "tags": {"ses:configuration-set": ["swan-tx"], "ses:from-domain": ["example.org"]}
        })
    }

    fn bounce(kind: &str) -> Value {
        let detail = json!({
            "eventType": "Bounce",
            "bounce": {
                "feedbackId": "0107018f-fed-000000",
                "bounceType": kind,
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {"emailAddress": "Bounce@simulator.amazonses.com", "status": "5.1.1",
                     "action": "failed", "diagnosticCode": "smtp; 550 \"no\" <such> user"},
                    {"emailAddress": "no address"}
                ],
                "timestamp": "2027-01-15T08:00:00.000Z"
            },
            "mail": mail()
        });
        event("Email Bounced", &detail)
    }

    #[test]
    fn a_bounce_and_a_complaint_are_read() {
        let report = tell(&bounce("Permanent")).expect("read").expect("ours");
        assert_eq!(
            (report.kind(), report.message_id()),
            (ReportKind::Bounce, "0107018f-abc-000000")
        );
        let named: Vec<&str> = report.recipients().iter().map(Email::as_str).collect();
        assert_eq!(named, ["bounce@simulator.amazonses.com"], "what is none was none of ours");
        for soft in ["Transient", "Undetermined", "Tomorrow", "permanent"] {
            let report = tell(&bounce(soft)).expect("read").expect("ours");
            assert_eq!(report.kind(), ReportKind::Delay, "{soft}");
        }
        let complaint = json!({"complainedRecipients": [{"emailAddress": "a@example.com"}]});
        let detail = json!({"eventType": "Complaint", "complaint": complaint, "mail": mail()});
        let report =
            tell(&event("Email Complaint Received", &detail)).expect("read").expect("ours");
        assert_eq!((report.kind(), report.recipients().len()), (ReportKind::Complaint, 1));
    }

    #[test]
    fn what_the_function_failed_is_read_from_the_record_around_it() {
        let failed = |event: Value| {
            json!({
                "version": "1.0",
                "timestamp": "2027-01-15T08:03:00.000Z",
                "requestContext": {
                    "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
                    "functionArn": "arn:aws:lambda:eu-central-1:1:function:swan-beak:live",
                    "condition": "RetriesExhausted",
                    "approximateInvokeCount": 3
                },
                "requestPayload": event,
                "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
                "responsePayload": {"errorMessage": "an event: not written down"}
            })
        };
        let report = tell(&failed(bounce("Permanent"))).expect("read").expect("ours");
        assert_eq!(report, tell(&bounce("Permanent")).expect("read").expect("ours"));
        let mut foreign = bounce("Permanent");
        foreign["source"] = "aws.s3".into();
        assert_eq!(tell(&failed(foreign)), Ok(None));
        let mut request = failed(bounce("Permanent"));
        request["requestContext"] = json!({"http": {"method": "?"}});
        for wrong in [failed(json!({})), failed(failed(bounce("Permanent"))), request] {
            assert!(tell(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_of_others_is_left_alone() {
        for source in ["swan.own", "aws.s3", "AWS.SES", ""] {
            let mut foreign = bounce("Permanent");
            foreign["source"] = source.into();
            assert_eq!(tell(&foreign), Ok(None), "{source}");
        }
        for tags in [json!({"ses:configuration-set": ["crane-tx"]}), json!({}), Value::Null] {
            let mut foreign = bounce("Permanent");
            foreign["detail"]["mail"]["tags"] = tags.clone();
            if tags.is_null() {
                foreign["detail"]["mail"].as_object_mut().expect("an object").remove("tags");
            }
            assert_eq!(tell(&foreign), Ok(None), "{tags}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_an_error_that_quotes_nothing() {
        let mut forged = bounce("Permanent");
        forged["detail"]["mail"]["messageId"] = "x#y".into();
        let mut request = bounce("Permanent");
        request["requestContext"] = json!({"http": {"method": "POST"}});
        let mut both = bounce("Permanent");
        both["detail"]["complaint"] = json!({"complainedRecipients": []});
        let mut other = bounce("Permanent");
        other["detail-type"] = "Email Delivered".into();
        let mut crowd = bounce("Permanent");
        let all: Vec<Value> =
            (0..100).map(|n| json!({"emailAddress": format!("secret{n}@example.com")})).collect();
        crowd["detail"]["bounce"]["bouncedRecipients"] = all.into();
        let mut wrong = bounce("Permanent");
        wrong["detail"]["bounce"]["bouncedRecipients"] = "secret@example.com".into();
        let mut huge = bounce("Permanent");
        huge["detail"]["padding"] = "x".repeat(LARGEST).into();
        for broken in [forged, request, both, other, crowd, wrong, huge, json!({}), json!([])] {
            let error = tell(&broken).expect_err("refused");
            let cause = error.cause().unwrap_or_default().to_owned();
            assert!(cause.starts_with("an event: ") && !cause.contains("secret"), "{cause}");
        }
        assert!(read(b"", &ours(), OffsetDateTime::UNIX_EPOCH).is_err());
        assert!(read(b"\xff", &ours(), OffsetDateTime::UNIX_EPOCH).is_err());
    }
}
