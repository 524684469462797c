//! What the account lets us do: credentials, permissions, clock, quotas.

use super::{Case, Finding, Level};
use crate::model::{Place, Region, Stack};
use crate::policy::{self, On, Subject};
use crate::ports::{Denied, Quota, Usage, Wish};
use crate::provider::Suits;

/// Credentials that last shorter than this may not last for a first installation.
const ENOUGH_SECONDS: u64 = 30 * 60;

/// This far off, AWS refuses every call. Source: "Signing AWS API requests", IAM User Guide.
const REFUSED_SECONDS: u64 = 5 * 60;

/// From here on the clock deserves a look.
const OFF_SECONDS: u64 = 60;

/// Fewer calls at once than this are soon felt.
pub(super) const FEW_AT_ONCE: u64 = 100;

/// What AWS gives where the account's own quota can't be read.
/// Source: "Quotas", Amazon `CloudFront` Developer Guide; "`CloudFormation` quotas", User Guide.
const USUAL_DISTRIBUTIONS: u64 = 200;
const USUAL_HEADERS_POLICIES: u64 = 20;
const USUAL_STACKS: u64 = 2_000;

pub(super) async fn credentials(case: &Case) -> Vec<Finding> {
    let caller = case.world.preflight.caller();
    let who = if caller.ends_with(":root") {
        let is = format!("they are those of the root user of account {}", case.account);
        Finding::new("credentials", Level::Warning, is)
    } else {
        Finding::new("credentials", Level::Ok, format!("accepted as {caller}"))
    };
    let now = case.world.clock.now();
    let end = match case.world.preflight.lapse().await {
        Err(failure) => Finding::unknown("credentials-end", &failure),
        Ok(None) => Finding::new("credentials-end", Level::Ok, "they do not lapse"),
        Ok(Some(end)) => {
            let left = end.saturating_sub(now);
            let level = match left {
                0 => Level::Problem,
                left if left < ENOUGH_SECONDS => Level::Warning,
                _ => Level::Ok,
            };
            let is = if left == 0 {
                format!("they have lapsed, at {}", moment(end))
            } else {
                format!("they lapse at {}, in {} min", moment(end), left / 60)
            };
            Finding::new("credentials-end", level, is)
        }
    };
    vec![who, end, region(&case.home)]
}

fn region(home: &Region) -> Finding {
    let suits = Suits::of(home);
    let Some(sentence) = suits.sentence(home) else {
        return Finding::new("region", Level::Ok, format!("{home} answers"));
    };
    let (level, cure) = match suits {
        Suits::Lacks(_) => (Level::Problem, "choose another Region, such as eu-central-1"),
        _ => (Level::Warning, "look for a newer version of spaceduck, or choose another Region"),
    };
    Finding::new("region", level, format!("it answers, but {sentence}")).cure(cure)
}

/// A moment in UTC, to the minute.
fn moment(seconds: u64) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let at = i64::try_from(seconds).ok();
    let at = at.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
    at.and_then(|at| at.format(format).ok()).unwrap_or_else(|| seconds.to_string())
}

pub(super) async fn permissions(case: &Case) -> Vec<Finding> {
    let subject =
        Subject { name: &case.facts.config.name, account: &case.account, region: &case.home };
    let wishes: Vec<Wish> = policy::statements(subject)
        .into_iter()
        // Asking is itself the proof that one may ask.
        .filter(|statement| statement.on != On::Principals)
        .map(|s| Wish {
            actions: s.actions,
            resources: s.resources,
            conditions: s.condition.map(|condition| condition.allowed()).unwrap_or_default(),
        })
        .collect();
    let count: usize = wishes.iter().map(|wish| wish.actions.len()).sum();
    match case.world.preflight.denied(&wishes).await {
        Err(failure) => {
            let finding = Finding::unknown("permissions", &failure);
            let is = format!("none of the {count} actions could be checked: {}", finding.is);
            let cure = "ask for iam:SimulatePrincipalPolicy and iam:GetRole on yourself, or \
                        compare your policy with what `spaceduck doctor --print-policy` prints";
            vec![Finding { is, ..finding }.cure(cure)]
        }
        Ok(denied) if denied.is_empty() => {
            let is = format!(
                "all {count} actions are allowed, as far as IAM's simulator sees; limits of the \
                 session itself it does not see"
            );
            vec![Finding::new("permissions", Level::Ok, is)]
        }
        Ok(denied) => missing(&denied),
    }
}

fn missing(denied: &[Denied]) -> Vec<Finding> {
    let list = |fits: fn(&Denied) -> bool| {
        let one = |denied: &Denied| format!("{} on {}", denied.action, denied.resource);
        let all: Vec<String> = denied.iter().filter(|denied| fits(denied)).map(one).collect();
        (!all.is_empty()).then(|| all.join(", "))
    };
    let mut found = Vec::new();
    if let Some(list) = list(|denied| policy::is_spare(&denied.action)) {
        let is = format!(
            "not allowed; an installation goes through without, and knows or does less: {list}"
        );
        found.push(Finding::new("permissions", Level::Warning, is));
    }
    if let Some(list) = list(|denied| !denied.forbidden && !policy::is_spare(&denied.action)) {
        found.push(Finding::new("permissions", Level::Problem, format!("not allowed: {list}")));
    }
    if let Some(list) = list(|denied| denied.forbidden && !policy::is_spare(&denied.action)) {
        let is = format!("forbidden in so many words: {list}");
        let cure = "ask the account's administrator to lift the `Deny` in a policy, a permissions \
                    boundary or the organisation; allowing the action does not help against it";
        found.push(Finding::new("permissions", Level::Problem, is).cure(cure));
    }
    found
}

pub(super) async fn clock(case: &Case) -> Vec<Finding> {
    let finding = match case.world.preflight.clock_ahead().await {
        Err(failure) => Finding::unknown("clock", &failure),
        Ok(ahead) => clock_finding(ahead),
    };
    vec![finding]
}

/// What a difference of clocks means.
#[must_use]
pub fn clock_finding(ahead: i64) -> Finding {
    let off = ahead.unsigned_abs();
    let level = match off {
        off if off > REFUSED_SECONDS => Level::Problem,
        off if off > OFF_SECONDS => Level::Warning,
        _ => Level::Ok,
    };
    let is = match ahead {
        0 => "it goes with AWS's".to_owned(),
        1.. => format!("{off} s ahead of AWS's"),
        _ => format!("{off} s behind AWS's"),
    };
    Finding::new("clock", level, is)
}

/// The stacks of a place that are still to be made.
fn to_make(case: &Case, place: Place) -> u64 {
    let absent = |stack: &&Stack| stack.place() == place && !case.stacks.contains_key(stack);
    case.rendered.keys().filter(absent).count() as u64
}

pub(super) async fn quotas(case: &Case) -> Vec<Finding> {
    let (home, edge) = (to_make(case, Place::Home), to_make(case, Place::Edge));
    let one_region = case.home == Region::edge();
    let at_home = if one_region { home + edge } else { home };
    let port = &case.world.preflight;
    let (stacks, stacks_at_edge, distributions, headers, concurrency) = tokio::join!(
        port.usage(Quota::Stacks(Place::Home)),
        port.usage(Quota::Stacks(Place::Edge)),
        port.usage(Quota::Distributions),
        port.usage(Quota::HeadersPolicies),
        port.usage(Quota::Concurrency),
    );
    let mut found = Vec::new();
    let mut add = |id, usage: &Result<Usage, _>, need, usual, what: &str| {
        found.push(match usage {
            Err(failure) => Finding::unknown(id, failure),
            Ok(usage) => room(id, *usage, need, usual, what),
        });
    };
    add("stacks-quota", &stacks, at_home, USUAL_STACKS, &format!("stacks in {}", case.home));
    if !one_region {
        let what = format!("stacks in {}", Region::edge());
        add("stacks-quota", &stacks_at_edge, edge, USUAL_STACKS, &what);
    }
    add("distributions-quota", &distributions, edge, USUAL_DISTRIBUTIONS, "distributions");
    add("headers-quota", &headers, edge, USUAL_HEADERS_POLICIES, "policies");
    found.push(match concurrency {
        Err(failure) => Finding::unknown("concurrency", &failure),
        Ok(usage) => {
            // A function that is there has its reservation already.
            let there = case.stacks.contains_key(&Stack::Api);
            let reserve = if there { 0 } else { case.facts.config.cost.parallel_calls };
            at_once(usage, u64::try_from(reserve).unwrap_or_default())
        }
    });
    found.push(match distributions {
        Ok(Usage { used: 1.., .. }) => {
            let is = "it has distributions already, so it was let make them";
            Finding::new("cloudfront-account", Level::Ok, is)
        }
        Ok(_) => {
            let is = "it has never had one; AWS reviews some new accounts first, and says so \
            only when the first distribution is created";
            Finding::new("cloudfront-account", Level::Unknown, is)
        }
        Err(failure) => Finding::unknown("cloudfront-account", &failure),
    });
    found
}

fn room(id: &str, usage: Usage, need: u64, usual: u64, what: &str) -> Finding {
    let used = usage.used;
    let (limit, source) = match usage.limit {
        Some(limit) => (limit, ""),
        None => (usual, " as usual; the account's own quota can't be read"),
    };
    let level = if used + need > limit { Level::Problem } else { Level::Ok };
    let is = format!("{used} of {limit} {what} are taken{source}; {need} more are needed");
    Finding::new(id, level, is)
}

/// Lambda keeps so many calls at once for functions without a reservation; accounts with a smaller
/// quota keep all of it. Source: "Configuring reserved concurrency for a function", AWS Lambda
/// Developer Guide.
const UNRESERVED: u64 = 100;

fn at_once(usage: Usage, reserve: u64) -> Finding {
    let Some(limit) = usage.limit else {
        return Finding::new("concurrency", Level::Unknown, "Lambda does not tell");
    };
    let free = limit.saturating_sub(usage.used).saturating_sub(limit.min(UNRESERVED));
    if reserve > free {
        let is = format!(
            "{limit} at once in this Region, of which {free} can be reserved; \
             `cost.parallel_calls` is {reserve}"
        );
        let cure = format!(
            "set `cost.parallel_calls` to {free}{}, or have the quota `Concurrent executions` of \
             Lambda raised under Service Quotas",
            if free == 0 { ", which reserves nothing" } else { " or less" }
        );
        return Finding::new("concurrency", Level::Problem, is).cure(cure);
    }
    let level = if limit < FEW_AT_ONCE { Level::Warning } else { Level::Ok };
    Finding::new("concurrency", level, format!("{limit} at once in this Region"))
}
