//! Certificates: asked for as soon as a domain is wanted, and removed when nothing needs them.
//!
//! Nothing here waits for one to be issued: that may take a person days.

use std::collections::BTreeMap;
use std::time::Duration;

use galaxy_mail::name::Domain;
use galaxy_sites::Site;
use sha2::{Digest as _, Sha256};

use super::Job;
use crate::catalog;
use crate::event::Event;
use crate::failure::Failure;
use crate::model::{Certificate, CertificateState, Front, Place, Secret, Stack};
use crate::plan::Action;
use crate::render::hex;

/// How long a certificate may still be held by what is already removed, and how often is looked.
const RELEASE: Duration = Duration::from_mins(10);
const PAUSE: Duration = Duration::from_secs(15);

/// Asks for a certificate, unless there is one that is good or may become so.
pub(super) async fn request(job: &Job, front: Front, action: &Action) -> Result<bool, Failure> {
    let config = &job.facts.config;
    let Some(domain) = config.domains.names.get(&front) else { return Ok(false) };
    if *action == Action::Keep {
        return Ok(false);
    }
    // Written first, so that a removal knows that it has to look.
    job.world.notes.put_new(&catalog::domains_path(&config.name), "{}").await?;
    let known = job.world.certificates.ours(front.place(), &config.name).await?;
    let mine: Vec<&Certificate> = known.iter().filter(|one| one.domain == *domain).collect();
    let fine = |one: &&&Certificate| {
        matches!(one.state, CertificateState::Issued | CertificateState::Waiting)
    };
    if mine.iter().any(|one| fine(&one)) {
        return Ok(false);
    }
    let token = token(config.name.as_str(), domain, &mine);
    let tags = catalog::tags(&config.name);
    job.world.certificates.request(front.place(), &tags, domain, &token).await?;
    Ok(true)
}

/// The same until a certificate has failed, so that a question whose answer was lost is no second
/// one. Certificate Manager takes 32 letters and digits.
fn token(galaxy: &str, domain: &Domain, before: &[&Certificate]) -> String {
    let mut text = format!("{galaxy} {domain}");
    let mut arns: Vec<&str> = before.iter().map(|one| one.arn.as_str()).collect();
    arns.sort_unstable();
    for arn in arns {
        text.push(' ');
        text.push_str(arn);
    }
    hex(&Sha256::digest(text))[..32].to_owned()
}

/// Removes the certificates that nothing needs any more.
pub(super) async fn sweep(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let mut any = false;
    for (place, arn) in &job.facts.config.domains.stale {
        any |= job.world.certificates.remove(*place, arn).await?;
    }
    Ok(any)
}

/// Removes all of the galaxy's certificates, then the notes about its domains. A certificate in use
/// elsewhere stays, and is reported.
pub(super) async fn remove_all(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let galaxy = &job.facts.config.name;
    let begin = job.world.clock.elapsed();
    let mut kept = Vec::new();
    for place in [Place::Home, Place::Edge] {
        for one in job.world.certificates.ours(place, galaxy).await? {
            while !job.world.certificates.remove(place, &one.arn).await? {
                if job.world.clock.elapsed().saturating_sub(begin) >= RELEASE {
                    kept.push(format!("{} ({})", one.domain, one.arn));
                    break;
                }
                job.world.clock.sleep(PAUSE).await;
            }
        }
    }
    if kept.is_empty() {
        job.world.notes.remove(&catalog::domains_path(galaxy)).await?;
    } else {
        let text = format!(
            "Stays, since something that is not the galaxy's works with it: {}. Take it off there \
             and run `spaceduck teardown` again.",
            kept.join(", ")
        );
        job.events.emit(Event::Note { text });
    }
    Ok(true)
}

/// The domain to publish: one that is attached and was seen to answer.
pub(in crate::execute) fn told(job: &Job, front: Front) -> Option<String> {
    let domain = job.facts.config.domains.answering(front)?.to_string();
    let stack = catalog::stack_of(front);
    (job.output(stack, catalog::ATTACHED_DOMAIN).ok()? == domain).then_some(domain)
}

/// On which hosts a captcha may have been solved: those of the sites, with their own domains and
/// those that `CloudFront` gave them, which go on answering.
pub(crate) fn site_hosts(job: &Job) -> Result<Secret, Failure> {
    let mut hosts = BTreeMap::new();
    for site in Site::ALL {
        let stack = Stack::Site(site);
        let own = job.output(stack, catalog::ATTACHED_DOMAIN).ok();
        let given = job.output(stack, "DistributionDomain")?;
        hosts.insert(site.name(), own.into_iter().chain([given]).collect::<Vec<_>>().join(","));
    }
    Ok(Secret::new(hosts.into_values().collect::<Vec<_>>().join(",")))
}
