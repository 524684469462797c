//! The throttles of the API against what the account can carry.

use super::account::FEW_AT_ONCE;
use super::{Case, Finding, Level};
use crate::catalog::Facts;
use crate::ports::{Quota, Usage};

/// How long the function works on a call, in ms: a rule of thumb, above what was measured with a
/// warm function. Sign-in, verify and reset wait for Cognito, which checks a password slowly.
const CALL_MS: i64 = 100;
const SIGN_IN_MS: i64 = 500;

const ID: &str = "throttles";

pub(super) async fn find(case: &Case) -> Vec<Finding> {
    let port = &case.world.preflight;
    let (gateway, concurrency) =
        tokio::join!(port.usage(Quota::GatewayRate), port.usage(Quota::Concurrency));
    let limit = match gateway {
        Ok(Usage { limit: Some(limit), .. }) => limit,
        Ok(_) => {
            let is = "the account's quota of API Gateway can't be read";
            return vec![Finding::new(ID, Level::Unknown, is)];
        }
        Err(failure) => return vec![Finding::unknown(ID, &failure)],
    };
    // A reservation holds, whatever the account may have beside it; what can't be read and what
    // is too small for any galaxy is the check `concurrency`.
    let reserved = u64::try_from(case.facts.config.cost.parallel_calls).unwrap_or_default();
    let there = match concurrency {
        _ if reserved > 0 => Some(reserved),
        Ok(usage) => usage.limit.filter(|limit| *limit >= FEW_AT_ONCE),
        Err(_) => None,
    };
    vec![judge(&case.facts, limit, there)]
}

/// How many calls the function works on at once when it gets so many calls and sign-ins a second.
pub(super) fn at_once(calls: i64, sign_ins: i64) -> u64 {
    let milliseconds = calls * CALL_MS + sign_ins * SIGN_IN_MS;
    u64::try_from(milliseconds).unwrap_or_default().div_ceil(1000)
}

fn judge(facts: &Facts, limit: u64, there: Option<u64>) -> Finding {
    let throttles = &facts.config.throttles;
    let (calls, sign_ins) = (throttles.calls.per_second, throttles.sign_in.per_second);
    let settings = [
        ("api.calls_per_second", calls),
        ("api.sign_in_per_second", sign_ins),
        ("api.hatch_per_second", throttles.hatch.per_second),
    ];
    let above = settings.iter().find(|(_, rate)| u64::try_from(*rate).is_ok_and(|r| r > limit));
    if let Some((setting, rate)) = above {
        let is = format!(
            "`{setting}` is {rate}, and API Gateway lets {limit} calls a second through to all \
             APIs of the account in this Region"
        );
        return Finding::new(ID, Level::Problem, is);
    }
    let needed = at_once(calls, sign_ins);
    let rates = format!(
        "{calls} calls and {sign_ins} sign-ins a second keep about {needed} functions busy"
    );
    match there {
        Some(there) if there < needed => {
            let is = format!("{rates}, and {there} may run at once");
            let cure = "lower `api.calls_per_second` or `api.sign_in_per_second`, raise \
                        `cost.parallel_calls` where it is set, or have the quota `Concurrent \
                        executions` of Lambda raised under Service Quotas";
            Finding::new(ID, Level::Warning, is).cure(cure)
        }
        _ => {
            let is = format!("{rates}; API Gateway allows {limit} calls a second");
            Finding::new(ID, Level::Ok, is)
        }
    }
}
