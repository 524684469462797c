//! What exists of the galaxy already, and what it still needs to be usable.

use galaxy_mail::facts::Enforcement;

use super::{Case, Finding, Level};
use crate::catalog;
use crate::failure::Failure;
use crate::lock::{self, Shown};
use crate::model::{Place, Stack, StackStatus};
use crate::release;

pub(super) async fn leftovers(case: &Case) -> Vec<Finding> {
    if let Some(failure) = &case.unseen {
        return ["leftovers", "people"].map(|id| Finding::unknown(id, failure)).into();
    }
    let (kept, strays) = tokio::join!(kept(case), strays(case));
    let kept = match kept {
        Err(failure) => Finding::unknown("leftovers", &failure),
        Ok(kept) if kept.is_empty() => Finding::new("leftovers", Level::Ok, "nothing is left"),
        Ok(kept) => {
            let is = format!("will be taken up again: {}", kept.join(", "));
            Finding::new("leftovers", Level::Ok, is)
        }
    };
    let people = match strays {
        Err(failure) => Finding::unknown("people", &failure),
        Ok(strays) if strays.is_empty() => Finding::new("people", Level::Ok, "none is left"),
        Ok(strays) => Finding::new("people", Level::Warning, strays.join(", ")),
    };
    vec![kept, people]
}

/// Buckets and tables whose stacks no longer exist.
async fn kept(case: &Case) -> Result<Vec<String>, Failure> {
    let name = &case.facts.config.name;
    let mut kept = Vec::new();
    for stack in Stack::all() {
        let bucket = catalog::bucket(stack, name, &case.account, &case.home);
        if let (Some(bucket), false) = (bucket, case.stacks.contains_key(&stack))
            && case.world.assets.has_bucket(stack.place(), &bucket).await?
        {
            kept.push(format!("bucket {bucket}"));
        }
    }
    if !case.stacks.contains_key(&Stack::Data) {
        for table in catalog::tables(name).into_values() {
            if case.world.records.has_table(&table).await? {
                kept.push(format!("table {table}"));
            }
        }
    }
    Ok(kept)
}

/// User pools and keys with the galaxy's tag whose stacks no longer exist.
async fn strays(case: &Case) -> Result<Vec<String>, Failure> {
    let tagged = case.world.inventory.tagged(Place::Home, case.facts.config.name.as_str()).await?;
    let gone = |stack| !case.stacks.contains_key(&stack);
    let stray = |arn: &String| {
        (arn.contains(":userpool/") && gone(Stack::Auth))
            || (arn.contains(":kms:") && arn.contains(":key/") && gone(Stack::Data))
    };
    Ok(tagged.into_iter().filter(stray).collect())
}

pub(super) async fn mail(case: &Case) -> Vec<Finding> {
    let account = match case.world.mail.account().await {
        Err(failure) => return vec![Finding::unknown("mail", &failure)],
        Ok(account) => account,
    };
    let daily = if account.per_day < 0.0 {
        "without a daily limit".to_owned()
    } else {
        format!("{} mails a day", account.per_day)
    };
    let reach = if account.production {
        format!("out of the sandbox, {daily}")
    } else {
        format!("in the sandbox: only to confirmed addresses, {daily}")
    };
    let well = account.sending && account.enforcement == Enforcement::Healthy;
    let (level, is) = if well {
        (Level::Ok, reach)
    } else {
        let sending = if account.sending { "it leaves" } else { "nothing leaves" };
        (Level::Warning, format!("{sending}, standing {:?}, {reach}", account.enforcement))
    };
    vec![Finding::new("mail", level, is)]
}

pub(super) async fn state(case: &Case) -> Vec<Finding> {
    let (captcha, release, lock) = tokio::join!(captcha(case), release(case), holder(case));
    vec![captcha, release, lock, stacks(case)]
}

fn stacks(case: &Case) -> Finding {
    if let Some(failure) = &case.unseen {
        return Finding::unknown("stacks", failure);
    }
    let unsettled: Vec<String> = case
        .stacks
        .iter()
        .filter(|(_, seen)| seen.status != StackStatus::Ready)
        .map(|(stack, seen)| format!("{stack} is in {}", seen.code))
        .collect();
    if unsettled.is_empty() {
        let wanted = |stack: &Stack| !stack.is_optional() || case.stacks.contains_key(stack);
        let (there, all) = (case.stacks.len(), Stack::all().into_iter().filter(wanted).count());
        return Finding::new("stacks", Level::Ok, format!("{there} of {all} are there"));
    }
    Finding::new("stacks", Level::Warning, unsettled.join(", "))
}

async fn captcha(case: &Case) -> Finding {
    let config = &case.facts.config;
    let stored = case.world.secrets.read(&catalog::turnstile_path(&config.name)).await;
    let secret = match stored {
        Ok(stored) => stored.is_some() || config.turnstile_secret.is_some(),
        Err(failure) => return Finding::unknown("captcha", &failure),
    };
    let (level, is) = match (config.turnstile_site_key.is_some(), secret) {
        (true, true) => (Level::Ok, "site key and secret are known"),
        (true, false) => (Level::Warning, "the secret is missing: hatching is closed"),
        (false, true) => (Level::Warning, "the site key is missing: hatching is closed"),
        (false, false) => (Level::Warning, "site key and secret are missing: hatching is closed"),
    };
    Finding::new("captcha", level, is)
}

async fn release(case: &Case) -> Finding {
    let ours = case.facts.release.as_str();
    let installed = match installed(case).await {
        Err(failure) => return Finding::unknown("release", &failure),
        Ok(installed) => installed,
    };
    match installed {
        Installed::None => {
            Finding::new("release", Level::Ok, format!("{ours}; none is installed yet"))
        }
        Installed::Unreadable => {
            let is = format!("{ours}; the record of what is installed can't be read");
            Finding::new("release", Level::Warning, is).cure("run `spaceduck drift`")
        }
        Installed::Release(theirs) => {
            let older = numbers(ours) < numbers(&theirs);
            let level = if older { Level::Warning } else { Level::Ok };
            Finding::new("release", level, format!("{ours}; {theirs} is installed"))
        }
    }
}

/// What the record says is installed.
enum Installed {
    None,
    Unreadable,
    Release(String),
}

async fn installed(case: &Case) -> Result<Installed, Failure> {
    let name = &case.facts.config.name;
    let bucket = catalog::bucket(Stack::Bootstrap, name, &case.account, &case.home);
    let Some(bucket) = bucket.filter(|_| case.stacks.contains_key(&Stack::Bootstrap)) else {
        return Ok(Installed::None);
    };
    let assets = case.world.assets.as_ref();
    if let Some(pointer) = release::pointer(assets, &bucket).await? {
        return Ok(Installed::Release(pointer.release));
    }
    let garbled = assets.has(Place::Home, &bucket, release::CURRENT_KEY).await?;
    Ok(if garbled { Installed::Unreadable } else { Installed::None })
}

/// The numbers of a version; what is no number counts as nought.
pub(super) fn numbers(version: &str) -> Vec<u64> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    core.split('.').map(|part| part.parse().unwrap_or_default()).collect()
}

async fn holder(case: &Case) -> Finding {
    match lock::look(&case.world, &case.facts.config.name).await {
        Err(failure) => Finding::unknown("lock", &failure),
        Ok(None) => Finding::new("lock", Level::Ok, "free"),
        Ok(Some((shown, silent))) => {
            let who = shown.map_or_else(
                || "held by an entry that can't be read".to_owned(),
                |Shown { command, host, process, .. }| {
                    format!("held by `spaceduck {command}`, process {process} on {host}")
                },
            );
            let is = format!("{who}; last heartbeat {silent} s ago");
            Finding::new("lock", Level::Warning, is)
        }
    }
}
