//! The account that a command works in: a real one, or one in memory for a rehearsal.

use std::collections::BTreeSet;
use std::sync::Arc;

use galaxy_sites::Site;
use sha2::{Digest as _, Sha256};

use super::life;
use crate::aws;
use crate::catalog::{self, Code};
use crate::cli::{PlayedReview, Shared};
use crate::config::Config;
use crate::event::{Event, Events};
use crate::execute;
use crate::failure::Failure;
use crate::identity::{self, Subject};
use crate::lock;
use crate::model::{AccountId, Region, Stack};
use crate::observe::observe;
use crate::plan::{self, Goal};
use crate::ports::{DriftState, Object, Quota, Thing, Usage, World};
use crate::progress::Silent;
use crate::rehearse::{self, Account, Ailment, Meddling, Pace};
use crate::render;

/// How many seconds of a rehearsal pass in one of ours: four minutes become four seconds.
const SPEED: u32 = 60;

/// The account of all rehearsals.
const ACCOUNT: &str = "111122223333";

/// An account that answered.
pub(super) struct Home {
    pub(super) id: AccountId,
    pub(super) region: Region,
    /// Closed to effects until the command holds the galaxy's lock.
    pub(super) world: World,
}

/// What a rehearsal begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// An empty account.
    Empty,
    /// An empty account with some obstacles.
    Ailing,
    /// A galaxy.
    Installed,
    /// A galaxy with people in it.
    Inhabited,
    /// A galaxy that has seen two releases.
    Upgraded,
    /// A galaxy with some changes made by others.
    Meddled,
    /// A galaxy with mail in this state of Amazon's review.
    Mailing(Option<PlayedReview>),
}

/// Finds the account as it is, whatever galaxies are in it. A rehearsal's has one.
pub(super) async fn reach_account(
    shared: &Shared,
    config: &Config,
    events: &Events,
) -> Result<Home, Failure> {
    if shared.rehearse {
        return rehearsed(config, Start::Installed, events).await;
    }
    let settings = aws::Settings {
        profile: shared.profile.clone(),
        region: config.region.clone(),
        connect_to: shared.connect_to.clone(),
    };
    let account = aws::connect(&settings).await?;
    Ok(Home { id: account.id, region: account.region, world: account.world })
}

/// Finds the account.
pub(super) async fn reach(
    shared: &Shared,
    config: &Config,
    start: Start,
    events: &Events,
) -> Result<Home, Failure> {
    if shared.rehearse {
        return rehearsed(config, start, events).await;
    }
    let account = reach_account(shared, config, events).await?;
    let subject = Subject {
        galaxy: config.name.clone(),
        account: account.id.clone(),
        home: account.region.clone(),
    };
    let world = identity::guard_at_home(account.world, subject).await?;
    Ok(Home { world: lock::fenced(world), ..account })
}

async fn rehearsed(config: &Config, start: Start, events: &Events) -> Result<Home, Failure> {
    let text = "Rehearsal: simulated against an in-memory account, 60× faster.";
    events.emit(Event::Note { text: text.into() });
    rehearsal(config, start).await
}

async fn rehearsal(config: &Config, start: Start) -> Result<Home, Failure> {
    let id = AccountId::parse(ACCOUNT).map_err(|e| Failure::bug(e.to_string()))?;
    let region = config.region.clone().unwrap_or_else(Region::edge);
    let account = Account::new(id.clone(), region.clone());
    let subject =
        Subject { galaxy: config.name.clone(), account: id.clone(), home: region.clone() };
    let world = identity::guard(account.world(), subject);
    let home = Home { id, region, world };
    let past: &[&str] = match start {
        Start::Empty | Start::Ailing => &[],
        Start::Installed | Start::Inhabited | Start::Meddled | Start::Mailing(_) => &["1"],
        Start::Upgraded => &["0", "1"],
    };
    for code in past {
        let bytes: Arc<[u8]> = Arc::from(code.as_bytes());
        let sha256 = render::hex(&Sha256::digest(&bytes));
        let code = (Code { sha256, architecture: "arm64" }, bytes);
        let quiet: Events = Arc::new(Silent);
        let config = life::with_domains(&home, config.clone()).await?;
        let job = life::arrival(&home, config, code, BTreeSet::new(), &quiet)?;
        let observed = observe(&job).await?;
        execute::run(&plan::plan(Goal::Present, &observed, &job.rendered), &job).await?;
    }
    match start {
        Start::Ailing => ail(&account, config),
        Start::Inhabited => inhabit(&account, config),
        Start::Mailing(played) => post(&account, &home.world, config, played).await?,
        Start::Meddled => meddle(&account, config),
        Start::Empty | Start::Installed | Start::Upgraded => {}
    }
    account.pace(Pace::Times(SPEED));
    let world = lock::fenced(home.world);
    Ok(Home { world, ..home })
}

/// Three ducklings and their people.
fn inhabit(account: &Account, config: &Config) {
    let tables = catalog::tables(&config.name);
    let pool = format!("UserPoolId-of-{}", Stack::Auth.name(&config.name));
    for name in ["swan", "crane", "heron"] {
        if let Some(table) = tables.get("ducklings") {
            let id = serde_json::json!({ "S": format!("dkl_{name}") });
            account.remember(table, serde_json::json!({ "duckling_id": id }));
        }
        account.sign_up(&pool, &format!("{name}@example.com"));
    }
}

/// Problems to look at: a right that is missing, a name that is taken, a young account.
fn ail(account: &Account, config: &Config) {
    account.ail(Ailment::Missing("cloudformation:CreateStack".into()));
    account.ail(Ailment::Taken(Thing::LogGroup, format!("/aws/lambda/{}-beak", config.name)));
    account.ail(Ailment::Used(Quota::Concurrency, Usage { used: 0, limit: Some(10) }));
    account.ail(Ailment::Lapsing(12 * 60));
}

/// Mail in a state to look at. Without one, records appear and a review passes before one's eyes.
async fn post(
    account: &Account,
    world: &World,
    config: &Config,
    played: Option<PlayedReview>,
) -> Result<(), Failure> {
    if let Some(host) = config.mail.website.as_ref().and_then(|url| url.split('/').nth(2)) {
        account.serve(host);
    }
    account.open_post();
    let Some(played) = played else { return Ok(()) };
    account.settle_records();
    account.stand(rehearse::standing(played.word()));
    if played == PlayedReview::Granted {
        // A galaxy at this point has a finished checklist.
        let memory = rehearse::finished_memory(world.clock.now());
        world.notes.put(&catalog::mail_path(&config.name), &memory).await?;
    }
    Ok(())
}

/// A drift to look at: a throttle that was opened, a page that was overwritten, a stranger.
fn meddle(account: &Account, config: &Config) {
    let text = |text: &str| text.to_owned();
    let throttle = "/DefaultRouteSettings/ThrottlingRateLimit";
    let drift = DriftState::Modified(vec![(text(throttle), text("100"), text("10000"))]);
    let stack = Stack::Api.name(&config.name);
    account.meddle(Meddling::Resource(stack, text("Prod"), drift));
    let site = Stack::Site(Site::DuckGalaxy);
    let home = config.region.clone().unwrap_or_else(Region::edge);
    let bucket = AccountId::parse(ACCOUNT).ok();
    let bucket = bucket.and_then(|id| catalog::bucket(site, &config.name, &id, &home));
    for key in ["index.html", "old-campaign.html"] {
        let object = Object {
            key: text(key),
            bytes: b"<h1>Sale!</h1>"[..].into(),
            content_type: text("text/html"),
            cache_control: text("max-age=86400"),
        };
        let bucket = bucket.clone().unwrap_or_default();
        account.meddle(Meddling::Object(bucket, text(key), Some(object)));
    }
}
