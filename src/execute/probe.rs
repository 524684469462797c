//! Asking API and sites from outside, until they answer as they should.

use std::time::Duration;

use galaxy_sites::Site;

use super::Job;
use crate::event::{Event, StepState};
use crate::failure::{Failure, Kind};
use crate::model::Stack;
use crate::plan::{Action, StepId};
use crate::ports::Answer;

/// The API answers within seconds of its stack being there.
const API_PATIENCE: Duration = Duration::from_mins(2);
/// A distribution may take minutes to reach the edge: measured up to four, so four times that.
const SITE_PATIENCE: Duration = Duration::from_mins(16);
/// Time between two questions.
const PAUSE: Duration = Duration::from_secs(3);

/// Asks the API and the five sites.
pub(super) async fn all(job: &Job, action: &Action) -> Result<bool, Failure> {
    if *action == Action::Keep {
        return Ok(false);
    }
    let config = super::effects::known_site_config(job)?;
    let api = format!("{}/beak/system/status", config.api_base);
    until_ok(job, "the API", &api, API_PATIENCE).await?;
    for site in Site::ALL {
        if let Some(url) = config.sites.get(site.name()) {
            until_ok(job, site.name(), &format!("{url}/"), SITE_PATIENCE).await?;
        }
    }
    Ok(true)
}

async fn until_ok(job: &Job, name: &str, url: &str, patience: Duration) -> Result<(), Failure> {
    let start = job.world.clock.elapsed();
    let mut told = false;
    loop {
        let answer = job.world.web.get(url).await;
        if answer == Answer::Status(200) {
            return Ok(());
        }
        if job.world.clock.elapsed().saturating_sub(start) >= patience {
            let seconds = patience.as_secs();
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
            let step = StepId::Probe.to_string();
            job.events.emit(Event::Step { step, state: StepState::Running, detail });
        }
        job.world.clock.sleep(PAUSE).await;
    }
}

/// The addresses to show at the end.
pub fn urls(job: &Job) -> Result<Vec<crate::event::Url>, Failure> {
    let config = super::effects::known_site_config(job)?;
    let url = |name: &str, url: &str| crate::event::Url { name: name.into(), url: url.into() };
    let mut urls = vec![url("api", &job.output(Stack::Api, "ApiBaseUrl")?)];
    urls.extend(config.sites.iter().map(|(name, address)| url(name, address)));
    Ok(urls)
}
