//! SES's answers → our own words. A word that came later than this release is kept as it is.

use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::operation::get_configuration_set::GetConfigurationSetOutput;
use aws_sdk_sesv2::operation::get_configuration_set_event_destinations as events;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::types::{IdentityType, PricingAttributes, SuppressionListReason, TlsPolicy};
use galaxy_mail::facts::{Account, Enforcement, Identity, Progress, Review};
use galaxy_mail::name::Domain;

pub(super) fn account(answer: &GetAccountOutput) -> Account {
    let quota = answer.send_quota();
    let reasons = answer
        .suppression_attributes()
        .map(aws_sdk_sesv2::types::SuppressionAttributes::suppressed_reasons);
    let holds = |reason| reasons.is_some_and(|reasons| reasons.contains(&reason));
    let review = answer.details().and_then(|details| details.review_details());
    let status = review.and_then(|review| review.status());
    let plan = answer.pricing_attributes().and_then(PricingAttributes::current_plan);
    let insights = answer.vdm_attributes().map(|vdm| vdm.vdm_enabled().as_str() == "ENABLED");
    Account {
        production: answer.production_access_enabled(),
        sending: answer.sending_enabled(),
        enforcement: match answer.enforcement_status() {
            // Accounts that were never reviewed have no status.
            None | Some("HEALTHY") => Enforcement::Healthy,
            Some("PROBATION") => Enforcement::Probation,
            Some("SHUTDOWN") => Enforcement::Shutdown,
            Some(word) => Enforcement::Other(word.to_owned()),
        },
        per_day: quota.map_or(0.0, aws_sdk_sesv2::types::SendQuota::max24_hour_send),
        per_second: quota.map_or(0.0, aws_sdk_sesv2::types::SendQuota::max_send_rate),
        sent: quota.map_or(0.0, aws_sdk_sesv2::types::SendQuota::sent_last24_hours),
        suppresses: (holds(SuppressionListReason::Bounce), holds(SuppressionListReason::Complaint)),
        review: status.map(|status| match status.as_str() {
            "PENDING" => Review::Pending,
            "GRANTED" => Review::Granted,
            "DENIED" => Review::Denied,
            "FAILED" => Review::Failed,
            word => Review::Other(word.to_owned()),
        }),
        case: review.and_then(|review| review.case_id()).map(str::to_owned),
        plan: plan.map(|plan| plan.as_str().to_owned()),
        insights: insights.unwrap_or_default(),
    }
}

fn progress(word: Option<&str>) -> Progress {
    match word {
        None | Some("NOT_STARTED") => Progress::NotStarted,
        Some("PENDING") => Progress::Pending,
        Some("SUCCESS") => Progress::Success,
        Some("FAILED") => Progress::Failed,
        Some("TEMPORARY_FAILURE") => Progress::Lost,
        Some(word) => Progress::Other(word.to_owned()),
    }
}

pub(super) fn identity(domain: &Domain, answer: &GetEmailIdentityOutput) -> Identity {
    let dkim = answer.dkim_attributes();
    let verified =
        answer.verification_status().map(aws_sdk_sesv2::types::VerificationStatus::as_str);
    let bits = dkim.and_then(|dkim| dkim.current_signing_key_length());
    let looked = answer.verification_info();
    let mail_from = answer.mail_from_attributes().and_then(|mail_from| {
        let domain = Domain::parse(mail_from.mail_from_domain()).ok()?;
        Some((domain, progress(Some(mail_from.mail_from_domain_status().as_str()))))
    });
    // Where SES does not say so, it is the zone that it has used from the beginning.
    let zone = dkim.and_then(|dkim| dkim.signing_hosted_zone()).unwrap_or("dkim.amazonses.com");
    let token = |token: &String| {
        let name = domain.below(&format!("{token}._domainkey")).ok()?;
        Some((name, Domain::parse(&format!("{token}.{zone}")).ok()?))
    };
    Identity {
        whole_domain: answer.identity_type() == Some(&IdentityType::Domain),
        verified: progress(verified),
        dkim: progress(
            dkim.and_then(|dkim| dkim.status()).map(aws_sdk_sesv2::types::DkimStatus::as_str),
        ),
        bits: bits.and_then(|bits| match bits.as_str() {
            "RSA_1024_BIT" => Some(1024),
            "RSA_2048_BIT" => Some(2048),
            _ => None,
        }),
        tokens: dkim
            .map(|dkim| dkim.tokens().iter().filter_map(token).collect())
            .unwrap_or_default(),
        mail_from,
        error: looked.and_then(|info| info.error_type()).map(|error| error.as_str().to_owned()),
        asked: looked
            .and_then(|info| info.soa_record())
            .and_then(|soa| soa.primary_name_server())
            .map(str::to_owned),
        tags: answer.tags().iter().map(|t| (t.key().to_owned(), t.value().to_owned())).collect(),
        set: answer.configuration_set_name().filter(|set| !set.is_empty()).map(str::to_owned),
    }
}

pub(super) fn tls(answer: &GetConfigurationSetOutput) -> bool {
    let policy = answer.delivery_options().and_then(|options| options.tls_policy());
    policy == Some(&TlsPolicy::Require)
}

/// The events that a set publishes to the event bus.
pub(super) fn events(answer: &events::GetConfigurationSetEventDestinationsOutput) -> Vec<String> {
    let bus = answer
        .event_destinations()
        .iter()
        .filter(|to| to.enabled() && to.event_bridge_destination().is_some());
    let mut told: Vec<String> = bus
        .flat_map(aws_sdk_sesv2::types::EventDestination::matching_event_types)
        .map(|kind| kind.as_str().to_owned())
        .collect();
    told.sort();
    told.dedup();
    told
}
