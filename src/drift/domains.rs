//! Domains: their certificates, whether they answer, and the records that lead to them.

use galaxy_mail::judge::{Mistake, State};
use galaxy_mail::records::{Domains as Wishes, Zones};

use super::{Finding, Subject, finding, kinds};
use crate::config::Served;
use crate::domains;
use crate::execute::Job;
use crate::failure::Failure;
use crate::model::CertificateState;

/// Amazon renews 45 days before the end; one that has fewer days left was not renewed.
const SOON: u64 = 30 * 86_400;

/// Domains. One that waits for a person has not drifted, and what Route 53 has already reported is
/// not repeated.
pub(super) async fn find(job: &Job, told: &[Finding]) -> Result<Vec<Finding>, Failure> {
    let config = &job.facts.config;
    let mut found = Vec::new();
    for (front, served) in &config.domains.seen {
        let subject = Subject::Domain(*front);
        if let Some(trouble) = certificate(served) {
            found.push(finding(kinds::DOMAIN_CERTIFICATE, subject.clone(), trouble));
        }
        if let (true, false, Some(_), Some(domain)) =
            (served.attached, served.answers, served.since, config.domains.names.get(front))
        {
            let detail = format!("https://{domain} does not answer as it did");
            found.push(finding(kinds::DOMAIN_SILENT, subject, detail));
        }
    }
    // A record that was never set is no drift: only what led somewhere once is looked at.
    let mut wanted = domains::wanted(&job.world, config).await?;
    wanted.retain(|front| config.domains.has_served(&front.domain));
    let wishes = Wishes { mail: None, fronts: wanted };
    let records = wishes.wanted(&Zones::default());
    let records = records.map_err(|error| Failure::bug(error.to_string()))?;
    for looked in job.world.dns.look(&records, &config.hosting.expected()).await? {
        let wanted = &looked.wanted;
        let known = |one: &Finding| match &one.subject {
            Subject::ZoneRecord { key, .. } => key.split('/').next() == Some(wanted.name.as_str()),
            _ => false,
        };
        if told.iter().any(known) {
            continue;
        }
        let detail = match &looked.state {
            // A resolver elsewhere may get other addresses of the same target.
            State::Wrong(Mistake::Elsewhere(_)) if config.hosting.has(wanted) => continue,
            State::Missing => format!("{} {} is gone", wanted.data.kind(), wanted.data.value()),
            State::Wrong(mistake) => format!("{mistake}; should be {}", mistake.should(wanted)),
            State::Right | State::Unseen(_) => continue,
        };
        let subject = Subject::DomainRecord(wanted.name.to_string());
        found.push(finding(kinds::DOMAIN_RECORD, subject, detail));
    }
    Ok(found)
}

/// What is the matter with a certificate that is or was at work.
fn certificate(served: &Served) -> Option<String> {
    let Some(one) = &served.certificate else {
        return served.attached.then(|| "it no longer carries the galaxy's tag".to_owned());
    };
    match &one.state {
        CertificateState::Over(why) | CertificateState::Failed(why) => Some(why.clone()),
        CertificateState::Issued => {
            let left = one.ends?.saturating_sub(served.at);
            (left < SOON).then(|| format!("it ends in {} days and was not renewed", left / 86_400))
        }
        CertificateState::Waiting | CertificateState::Other(_) => None,
    }
}
