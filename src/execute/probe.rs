//! Asking API and sites from outside, until they answer as they should.

use std::time::Duration;

use galaxy_sites::Site;

use super::{Job, domains, shield};
use crate::event::{Event, StepState, Url};
use crate::failure::{Failure, Kind};
use crate::model::{Front, Stack};
use crate::plan::{Action, StepId};
use crate::ports::Answer;

/// The API answers within seconds of its stack being there.
const API_PATIENCE: Duration = Duration::from_mins(2);
/// A distribution may take minutes to reach the edge: measured up to four, so four times that.
const SITE_PATIENCE: Duration = Duration::from_mins(16);
/// Time between two questions.
const PAUSE: Duration = Duration::from_secs(3);

/// Asks the API.
pub(super) async fn api(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let config = super::effects::known_site_config(job)?;
    let api = format!("{}/beak/system/status", config.api_base);
    until_ok(job, StepId::Probe, "the API", &api, API_PATIENCE).await?;
    Ok(true)
}

/// Asks the API at its own address, where the sites are not there yet. That address.
pub(super) async fn api_alone(job: &Job) -> Result<String, Failure> {
    let base = job.output(Stack::Api, "ApiBaseUrl")?;
    let url = format!("{base}/beak/system/status");
    until_ok(job, StepId::Probe, "the API", &url, API_PATIENCE).await?;
    Ok(base)
}

/// Asks a site, and waits until every edge location has it.
pub(super) async fn site(job: &Job, site: Site, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    edge(job, StepId::Edge(site), (Stack::Site(site), site.name(), "/")).await
}

/// Asks the API through its shield, and waits until every edge location has that.
pub(super) async fn shield(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let path = "/prod/beak/system/status";
    edge(job, StepId::Shield, (Stack::ApiShield, "the shield", path)).await
}

async fn edge(
    job: &Job,
    id: StepId,
    (stack, name, path): (Stack, &str, &str),
) -> Result<bool, Failure> {
    let domain = job.output(stack, "DistributionDomain")?;
    let distribution = job.output(stack, "DistributionId")?;
    until_ok(job, id, name, &format!("https://{domain}{path}"), SITE_PATIENCE).await?;
    let patience = Patience::new(job, SITE_PATIENCE);
    while !job.world.delivery.deployed(&distribution).await? {
        if patience.is_over(job) {
            let message = format!("{name} has not reached every edge location");
            return Err(Failure::new(Kind::Settled, message)
                .cause(format!("CloudFront still works on the distribution {distribution}"))
                .help("everything is installed; run the same command again to ask once more"));
        }
        job.world.clock.sleep(PAUSE).await;
    }
    Ok(true)
}

struct Patience {
    start: Duration,
    limit: Duration,
}

impl Patience {
    fn new(job: &Job, limit: Duration) -> Self {
        Self { start: job.world.clock.elapsed(), limit }
    }

    fn is_over(&self, job: &Job) -> bool {
        job.world.clock.elapsed().saturating_sub(self.start) >= self.limit
    }
}

async fn until_ok(
    job: &Job,
    step: StepId,
    name: &str,
    url: &str,
    limit: Duration,
) -> Result<(), Failure> {
    let patience = Patience::new(job, limit);
    let mut told = false;
    loop {
        let answer = job.world.web.get(url).await;
        if answer == Answer::Status(200) {
            return Ok(());
        }
        if patience.is_over(job) {
            let seconds = limit.as_secs();
            let message = format!("{name} does not answer as it should after {seconds} s");
            let cause = match answer {
                Answer::Status(code) => format!("GET {url} answers with status {code}"),
                Answer::Silence(reason) => format!("GET {url}: {reason}"),
            };
            return Err(Failure::new(Kind::Settled, message)
                .cause(cause)
                .help("everything is installed; run the same command again to ask once more"));
        }
        if !told {
            told = true;
            let detail = Some(format!("waiting for {name} to answer"));
            let (step, state) = (step.to_string(), StepState::Running);
            job.events.emit(Event::Step { step, state, millis: None, detail });
        }
        job.world.clock.sleep(PAUSE).await;
    }
}

/// The addresses that the stacks say, API first; those of missing stacks are left out.
#[must_use]
pub fn known_urls(job: &Job) -> Vec<Url> {
    let own = |front| domains::told(job, front);
    let api = own(Front::Api).map(|domain| format!("https://{domain}/prod"));
    let api = shield::base(job).ok().flatten().or(api);
    let api = api.or_else(|| job.output(Stack::Api, "ApiBaseUrl").ok());
    let mut urls: Vec<Url> = api.into_iter().map(|url| Url { name: "api".into(), url }).collect();
    for site in Site::ALL {
        let given = || job.output(Stack::Site(site), "DistributionDomain").ok();
        if let Some(domain) = own(Front::Site(site)).or_else(given) {
            urls.push(Url { name: site.name().into(), url: format!("https://{domain}") });
        }
    }
    urls
}

/// The names of API and sites that are not among these addresses.
#[must_use]
pub fn unknown_urls(known: &[Url]) -> Vec<&'static str> {
    let names = ["api"].into_iter().chain(Site::ALL.into_iter().map(Site::name));
    names.filter(|name| !known.iter().any(|url| url.name == *name)).collect()
}

/// The addresses to show at the end.
pub fn urls(job: &Job) -> Result<Vec<Url>, Failure> {
    let config = super::effects::known_site_config(job)?;
    let url = |name: &str, url: &str| Url { name: name.into(), url: url.into() };
    let mut urls = vec![url("api", &config.api_base)];
    urls.extend(config.sites.iter().map(|(name, address)| url(name, address)));
    Ok(urls)
}
