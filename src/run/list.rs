//! The command that lists the account's galaxies, each looked at in its own Region.

use std::collections::BTreeMap;

use super::home;
use crate::catalog;
use crate::cli::Shared;
use crate::config::Config;
use crate::cost;
use crate::event::{Event, Events, Galaxy, Outcome};
use crate::failure::Failure;
use crate::identity::{self, Record, Row, Subject};
use crate::model::{AccountId, GalaxyName, Place, Region, Stack, StackSeen, StackStatus};
use crate::ports::{Survey, World};
use crate::release;
use crate::render;

pub(super) async fn list(shared: &Shared, events: &Events) -> Result<(), Failure> {
    let config = super::configuration(shared, events)?;
    let home = home::reach_account(shared, &config, events).await?;
    let rows = identity::galaxies(&home.world).await?;
    let mut named = home.world.inventory.galaxies(Place::Edge).await?;
    named.extend(home.world.inventory.galaxies(Place::Home).await?);
    named.retain(|name| !rows.contains_key(name));
    let (now, any) = (home.world.registry.now().await?, !rows.is_empty() || !named.is_empty());
    for (name, row) in rows {
        events.emit(Event::Galaxy(match row {
            Row::Broken(why) => broken(name, &why),
            Row::Known(record) => known(shared, &config, &record, now).await,
        }));
    }
    for name in named {
        let wrong = vec![
            "it has no record: `spaceduck install` with its galaxy.yaml creates one; until \
             then, only `install` and `teardown` can change it"
                .to_owned(),
        ];
        events.emit(Event::Galaxy(Galaxy { galaxy: name, wrong, ..Galaxy::default() }));
    }
    if !any {
        events.emit(Event::Note { text: "This account has no galaxy.".into() });
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next: vec![] });
    Ok(())
}

fn broken(galaxy: String, why: &str) -> Galaxy {
    let wrong = vec![format!(
        "its record can't be read: {why}; restore an earlier version of that parameter in \
         us-east-1"
    )];
    Galaxy { galaxy, wrong, ..Galaxy::default() }
}

/// A galaxy as far as it can be looked at; what can't be is wrong with it.
async fn known(shared: &Shared, config: &Config, record: &Record, now: u64) -> Galaxy {
    let mut row = Galaxy {
        galaxy: record.name.clone(),
        id: Some(record.id.clone()),
        region: Some(record.home.clone()),
        age_seconds: Some(now.saturating_sub(record.created_at)),
        ..Galaxy::default()
    };
    if let Err(failure) = fill(&mut row, shared, config, record).await {
        row.wrong.push(match failure.cause {
            Some(ref cause) => format!("{}: {cause}", failure.message()),
            None => failure.message().to_owned(),
        });
    }
    row
}

async fn fill(
    row: &mut Galaxy,
    shared: &Shared,
    config: &Config,
    record: &Record,
) -> Result<(), Failure> {
    let invalid = |error: crate::model::Invalid| Failure::bug(error.to_string());
    let galaxy = GalaxyName::parse(&record.name).map_err(invalid)?;
    let region = Region::parse(&record.home).map_err(invalid)?;
    let config = Config { name: galaxy.clone(), region: Some(region.clone()), ..config.clone() };
    let home = home::reach_account(
        shared,
        &config,
        &(std::sync::Arc::new(crate::progress::Silent) as Events),
    )
    .await?;
    let subject =
        Subject { galaxy: galaxy.clone(), account: home.id.clone(), home: region.clone() };
    let world = identity::guard(home.world, subject);
    let survey = world.ownership.survey().await?;
    row.wrong = wrong(&survey);
    row.release = release_of(&world, &galaxy, &home.id, &region).await?;
    let cents = cost_of(&world, &survey.stacks).await?;
    (row.idle_cents, row.small_cents) = (Some(cents.0), Some(cents.1));
    Ok(())
}

fn wrong(survey: &Survey) -> Vec<String> {
    let one = |stack: Stack| match survey.stacks.get(&stack).map(|seen| &seen.status) {
        None if stack.is_optional() => None,
        None => Some(format!("the stack {stack} is missing: `spaceduck install` creates it")),
        Some(StackStatus::Ready) => None,
        Some(_) => survey.stacks.get(&stack).map(|seen| {
            format!("the stack {stack} is in {}: `spaceduck install` continues", seen.code)
        }),
    };
    let strangers = survey.strangers.iter().map(|one| format!("{}: {}", one.what, one.why));
    Stack::all().into_iter().filter_map(one).chain(strangers).collect()
}

async fn release_of(
    world: &World,
    galaxy: &GalaxyName,
    account: &AccountId,
    region: &Region,
) -> Result<Option<String>, Failure> {
    let Some(bucket) = catalog::bucket(Stack::Bootstrap, galaxy, account, region) else {
        return Ok(None);
    };
    if !world.assets.has_bucket(Place::Home, &bucket).await? {
        return Ok(None);
    }
    let current = release::current(world.assets.as_ref(), &bucket).await?;
    Ok(current.map(|manifest| manifest.release))
}

/// What its stacks cost a month in cents: idle, and small.
async fn cost_of(
    world: &World,
    stacks: &BTreeMap<Stack, StackSeen>,
) -> Result<(u32, u32), Failure> {
    let mut rendered = BTreeMap::new();
    for (stack, seen) in stacks {
        let body = world.stacks.template(stack.place(), &seen.arn).await?;
        if let Ok(read) = render::read_back(&body) {
            rendered.insert(*stack, read);
        }
    }
    let costs = cost::monthly(&rendered);
    Ok((
        costs.iter().map(|cost| cost.idle_cents).sum(),
        costs.iter().map(|cost| cost.small_cents).sum(),
    ))
}
