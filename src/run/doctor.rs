//! `spaceduck doctor`: what would prevent an installation, and the rights that installing needs.

use std::path::Path;

use super::home::{self, Home, Start};
use super::life::{RELEASE, render_all};
use crate::aws;
use crate::catalog::{self, Facts};
use crate::cli::{Doctor, Shared};
use crate::config::Config;
use crate::doctor::{self, Case, Finding, FunctionCode, Level, Machine};
use crate::event::{Check, Event, Events, Outcome, VERSION};
use crate::failure::{Failure, Kind};
use crate::model::{AccountId, Region};
use crate::policy::{self, Subject};
use crate::zones;

/// The exit code where an installation would fail.
const BLOCKED: u8 = 1;

pub(super) async fn doctor(shared: &Shared, wish: &Doctor, events: &Events) -> Result<u8, Failure> {
    let config = super::configuration(shared, events)?;
    if wish.print_policy {
        return print_policy(shared, wish, &config, events).await.map(|()| 0);
    }
    let mut found = doctor::look_at(&machine());
    let mut next = Vec::new();
    match home::reach(shared, &config, Start::Ailing, events).await {
        Ok(home) => {
            events.emit(Event::Started {
                version: VERSION,
                command: "doctor".into(),
                galaxy: config.name.to_string(),
                account: home.id.to_string(),
                region: home.region.to_string(),
                release: RELEASE.into(),
            });
            found.extend(doctor::examine(&case(config, &home).await?).await);
        }
        Err(failure) => {
            found.extend(without_account(shared, &config, &failure).await);
            next.push("The other checks run once AWS accepts the credentials.".into());
        }
    }
    // The most important comes last, right above the prompt.
    found.sort_by_key(|finding| finding.level);
    let blocked = found.iter().any(|finding| finding.level == Level::Problem);
    for finding in found {
        events.emit(Event::Check(Check {
            check: finding.check.id.into(),
            level: finding.level.word().into(),
            title: finding.check.title.into(),
            is: finding.is,
            should: finding.check.should.into(),
            cure: finding.cure,
        }));
    }
    let outcome = if blocked { Outcome::Blocked } else { Outcome::Ready };
    events.emit(Event::Finished { outcome, urls: vec![], next });
    Ok(if blocked { BLOCKED } else { 0 })
}

/// Everything that the checks go by.
pub(super) async fn case(mut config: Config, home: &Home) -> Result<Case, Failure> {
    // A caller without the right to look is reported, and the check goes without.
    if let Ok(hosting) = zones::seen(&home.world, &config, &home.region).await {
        config.hosting = hosting;
    }
    let facts = Facts {
        config,
        account: Some(home.id.clone()),
        region: Some(home.region.clone()),
        code: None,
        release: RELEASE.into(),
    };
    let (stacks, unseen) = match doctor::stacks(&home.world, &facts.config.name).await {
        Ok(stacks) => (stacks, None),
        Err(failure) => (std::collections::BTreeMap::new(), Some(failure)),
    };
    Ok(Case {
        rendered: render_all(&facts, catalog::fill)?,
        account: home.id.clone(),
        home: home.region.clone(),
        world: home.world.clone(),
        facts,
        stacks,
        unseen,
    })
}

/// What is known although the account did not answer.
async fn without_account(shared: &Shared, config: &Config, failure: &Failure) -> Vec<Finding> {
    if failure.kind == Kind::Input {
        return vec![Finding::failed("region", failure)];
    }
    if failure.kind != Kind::Access {
        return vec![Finding::failed("credentials", failure)];
    }
    let diagnosis = aws::diagnose(&settings(shared, config)).await;
    let mut found = vec![if diagnosis.elsewhere {
        let region = config.region.as_ref().map_or("the home Region", Region::as_str);
        let is = format!("{region} does not accept the credentials that us-east-1 accepts");
        Finding::new("region", Level::Problem, is)
    } else {
        Finding::failed("credentials", failure)
    }];
    found.extend(diagnosis.clock_ahead.map(doctor::clock_finding));
    found
}

fn settings(shared: &Shared, config: &Config) -> aws::Settings {
    aws::Settings {
        profile: shared.profile.clone(),
        region: config.region.clone(),
        connect_to: shared.connect_to.clone(),
    }
}

fn machine() -> Machine {
    let function = match beak_package::whereabouts() {
        Ok(beak_package::Whereabouts::Packed) => FunctionCode::Packed,
        Ok(beak_package::Whereabouts::Source) => FunctionCode::Source,
        Err(error) => FunctionCode::Missing(error.to_string()),
    };
    Machine { function, free: fs4::available_space(Path::new(".")).ok() }
}

async fn print_policy(
    shared: &Shared,
    wish: &Doctor,
    config: &Config,
    events: &Events,
) -> Result<(), Failure> {
    let (account, region) = match (&wish.account, &config.region) {
        // Someone who asks for rights may not have any yet.
        (Some(account), Some(region)) => {
            let account = AccountId::parse(account).map_err(|invalid| {
                Failure::new(Kind::Usage, invalid.to_string())
                    .help("name the account by its 12 digits: --account 111122223333")
            })?;
            (account, region.clone())
        }
        (Some(_), None) => {
            return Err(Failure::new(Kind::Input, "a policy is made for one home Region")
                .help("name it with --region, or as `region` in galaxy.yaml"));
        }
        (None, _) => {
            let home = home::reach(shared, config, Start::Empty, events).await;
            let home = home.map_err(|failure| match failure.kind {
                Kind::Access => failure.help("without credentials name the account: --account ID"),
                _ => failure,
            })?;
            (home.id, home.region)
        }
    };
    let subject = Subject { name: &config.name, account: &account, region: &region };
    let documents = policy::documents(subject);
    let count = documents.len();
    events.emit(Event::Policy { documents });
    if count > 1 {
        let limit = policy::LIMIT_CHARACTERS;
        let text = format!(
            "These are {count} policies: a single one would exceed IAM's limit of {limit} \
             characters. Create a managed policy from each and attach all of them."
        );
        events.emit(Event::Note { text });
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
    Ok(())
}
