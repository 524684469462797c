//! The checks.

use std::collections::BTreeMap;

use galaxy_skill::keys;
use serde_json::Value;

use super::rights::{self, Subject};
use super::{Case, Checked, Seen, Verdict, role};
use crate::catalog;
use crate::drift::{Finding, State};
use crate::model::{Stack, StackStatus};
use crate::policy::{self, On};
use crate::ports::{Denied, Wish};

pub(super) async fn all(case: &Case, seen: &Seen) -> Vec<Checked> {
    let (stacks, drift) = (stacks(case, seen), drift(case));
    let (operator, service, function) =
        tokio::join!(operator(case), service(case, seen), function(case, seen));
    let (signature, addresses) = tokio::join!(signature(case, seen), addresses(case));
    let mut found = vec![stacks, drift, operator, service, function, signature];
    found.extend(addresses);
    found.extend([limits(case, seen), alarms(case, seen)]);
    found.extend(certificates(case));
    found
}

fn checked(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Checked {
    Checked { check, verdict, detail: detail.into() }
}

fn stacks(case: &Case, seen: &Seen) -> Checked {
    if !seen.unseen.is_empty() {
        return checked("stacks", Verdict::Unknown, seen.unseen.join("; "));
    }
    let wanted = |stack: &Stack| case.rendered.contains_key(stack) && !stack.is_optional();
    let one = |stack: Stack| match seen.stacks.get(&stack) {
        None => wanted(&stack).then(|| format!("{stack} is missing")),
        Some(found) if found.status == StackStatus::Ready => None,
        Some(found) => Some(format!("{stack} is in {}", found.code)),
    };
    let wrong: Vec<String> = Stack::all().into_iter().filter_map(one).collect();
    if wrong.is_empty() {
        return checked("stacks", Verdict::Ok, format!("all {} are ready", seen.stacks.len()));
    }
    checked("stacks", Verdict::Wrong, format!("{}; run `spaceduck install`", wrong.join(", ")))
}

fn drift(case: &Case) -> Checked {
    match &case.drift {
        Err(reason) => checked("drift", Verdict::Unknown, reason),
        Ok(None) => checked("drift", Verdict::Unknown, "no release is on record yet"),
        Ok(Some(found)) => {
            let unchecked = |one: &&Finding| one.state() == State::Unchecked;
            let open = match found.iter().filter(unchecked).count() {
                0 => String::new(),
                n => format!("; {n} can't be checked"),
            };
            let items: Vec<String> =
                found.iter().filter(|one| one.is_drift()).map(Finding::item).collect();
            if items.is_empty() {
                return checked("drift", Verdict::Ok, format!("nothing differs{open}"));
            }
            let detail = format!("{} differ: {}{open}", items.len(), items.join(", "));
            checked("drift", Verdict::Wrong, detail)
        }
    }
}

/// What the person who runs this may do.
async fn operator(case: &Case) -> Checked {
    let subject = policy::Subject {
        name: &case.facts.config.name,
        account: &case.account,
        region: &case.home,
    };
    let wishes: Vec<Wish> = policy::statements(subject)
        .into_iter()
        .filter(|statement| statement.on != On::Principals)
        .map(|statement| Wish {
            conditions: statement.condition.map(|c| c.allowed()).unwrap_or_default(),
            actions: statement.actions,
            resources: statement.resources,
        })
        .collect();
    let count = wishes.iter().map(|wish| wish.actions.len()).sum();
    match case.world.preflight.denied(&wishes).await {
        Err(failure) => checked("operator-permissions", Verdict::Unknown, failure.message()),
        Ok(denied) => allowed("operator-permissions", &denied, count, ""),
    }
}

fn allowed(check: &'static str, denied: &[Denied], count: usize, beside: &str) -> Checked {
    if denied.is_empty() {
        let detail = format!("IAM's simulator allows all {count} actions{beside}");
        return checked(check, Verdict::Ok, detail);
    }
    let names: Vec<&str> = denied.iter().map(|one| one.action.as_str()).collect();
    checked(check, Verdict::Wrong, format!("not allowed: {}", names.join(", ")))
}

/// What `CloudFormation`'s role may do, with all that the organisation and boundaries take away.
async fn service(case: &Case, seen: &Seen) -> Checked {
    const CHECK: &str = "service-role-permissions";
    let role = Role { arn: role(seen), stack: Stack::Bootstrap, id: "CfnServiceRole" };
    simulated(case, CHECK, role, &BTreeMap::new()).await
}

/// What the function's role may do, within its boundary.
async fn function(case: &Case, seen: &Seen) -> Checked {
    const CHECK: &str = "function-role-permissions";
    let api = seen.stacks.get(&Stack::Api);
    let arn = api.and_then(|api| api.outputs.get("FunctionRoleArn")).map(String::as_str);
    let mut values = api.map(|api| api.parameters.clone()).unwrap_or_default();
    let (account, home) = (&case.account, &case.home);
    let group = catalog::log_group(&case.facts.config.name, false);
    let group = format!("arn:aws:logs:{home}:{account}:log-group:{group}:*");
    values.insert("FunctionLogs.Arn".into(), group);
    simulated(case, CHECK, Role { arn, stack: Stack::Api, id: "FunctionRole" }, &values).await
}

/// A role in the account, and the resource of a template that makes it.
struct Role<'a> {
    arn: Option<&'a str>,
    stack: Stack,
    id: &'a str,
}

/// Asks IAM's simulator for all that a role's template gives it.
async fn simulated(
    case: &Case,
    check: &'static str,
    role: Role<'_>,
    values: &BTreeMap<String, String>,
) -> Checked {
    let Some(arn) = role.arn else {
        return checked(check, Verdict::Unknown, "the role is not there yet");
    };
    let Some(template) = case.rendered.get(&role.stack) else {
        return checked(check, Verdict::Unknown, "this program has no template of the role");
    };
    let (name, account) = (&case.facts.config.name, &case.account);
    let subject = Subject { name, account, region: &case.home, values };
    let (rights, left_out) = rights::of_role(&template.body, role.id, subject);
    let count: usize = rights.iter().map(|right| right.actions.len()).sum();
    let beside = format!("; {left_out} with conditions or wildcards can't be simulated");
    match case.world.evidence.denied_to(arn, &rights).await {
        Err(failure) => checked(check, Verdict::Unknown, failure.message()),
        Ok(_) if count == 0 => checked(check, Verdict::Unknown, "no action can be simulated"),
        Ok(denied) => allowed(check, &denied, count, &beside),
    }
}

/// A certificate from the table, checked here against the published keys.
async fn signature(case: &Case, seen: &Seen) -> Checked {
    const CHECK: &str = "certificate-signature";
    let api = case.urls.iter().find(|(name, _)| name == "api");
    let (Some((_, api)), true) = (api, seen.stacks.contains_key(&Stack::Data)) else {
        return checked(CHECK, Verdict::Unknown, "there is no API yet");
    };
    let tables = catalog::tables(&case.facts.config.name);
    let table = tables.get("certs").cloned().unwrap_or_default();
    let compact = match case.world.records.items(&table, None).await {
        Err(failure) => return checked(CHECK, Verdict::Unknown, failure.message()),
        Ok(page) => page
            .items
            .iter()
            .find_map(|item| item.pointer("/compact/S").and_then(Value::as_str).map(str::to_owned)),
    };
    let Some(compact) = compact else {
        return checked(CHECK, Verdict::Unknown, "no certificate has been issued yet");
    };
    let published = match case.world.evidence.page(&format!("{api}/beak/jwks.json")).await {
        Err(reason) => return checked(CHECK, Verdict::Unknown, reason),
        Ok(page) if page.status != 200 => {
            let detail = format!("the published keys answer with status {}", page.status);
            return checked(CHECK, Verdict::Wrong, detail);
        }
        Ok(page) => keys(&page.text),
    };
    match published.map(|keys| beak_api::jws::read(&compact, &keys)) {
        Ok(Some(_)) => {
            let detail = "a certificate of this galaxy verifies offline against its published keys";
            checked(CHECK, Verdict::Ok, detail)
        }
        Ok(None) => {
            checked(CHECK, Verdict::Wrong, "no published key verifies a certificate in the table")
        }
        Err(mistake) => checked(CHECK, Verdict::Wrong, mistake.message),
    }
}

/// API and sites, each with its status; the sites with their security headers.
async fn addresses(case: &Case) -> Vec<Checked> {
    let mut found = Vec::new();
    for (name, url) in &case.urls {
        let is_api = name == "api";
        let path = if is_api { "/beak/system/status" } else { "/" };
        let check = if is_api { "api-answers" } else { "site-answers" };
        found.push(match case.world.evidence.page(&format!("{url}{path}")).await {
            Err(reason) => checked(check, Verdict::Wrong, format!("{name}: {reason}")),
            Ok(page) if page.status != 200 => {
                checked(check, Verdict::Wrong, format!("{name} answers with {}", page.status))
            }
            Ok(_) if is_api => checked(check, Verdict::Ok, "the API answers"),
            Ok(page) => {
                let wanted = galaxy_sites::headers("");
                let names = wanted.iter().map(|(header, _)| *header);
                let missing: Vec<&str> = names
                    .chain(["strict-transport-security"])
                    .filter(|header| !page.headers.contains_key(*header))
                    .collect();
                if missing.is_empty() {
                    checked(check, Verdict::Ok, format!("{name} answers with its headers"))
                } else {
                    let detail = format!("{name} answers without {}", missing.join(", "));
                    checked(check, Verdict::Wrong, detail)
                }
            }
        });
    }
    if found.is_empty() {
        found.push(checked("api-answers", Verdict::Unknown, "there are no addresses yet"));
    }
    found
}

/// Whether a comparison with the template covers a resource, and what it says.
fn compared(case: &Case, seen: &Seen, stack: Stack, ids: &[&str]) -> Option<Vec<String>> {
    let found = case.drift.as_ref().ok()?.as_ref()?;
    seen.stacks.get(&stack).filter(|one| one.status == StackStatus::Ready)?;
    let named = ids.iter().map(|id| format!("{stack}.{id}"));
    Some(named.filter(|item| found.iter().any(|one| one.item() == *item)).collect())
}

fn limits(case: &Case, seen: &Seen) -> Checked {
    const CHECK: &str = "throttles";
    match compared(case, seen, Stack::Api, &["Prod"]) {
        None => checked(CHECK, Verdict::Unknown, "the API's stage was not compared"),
        Some(differ) if differ.is_empty() => {
            checked(CHECK, Verdict::Ok, "the stage has the throttles of its template")
        }
        Some(_) => checked(CHECK, Verdict::Wrong, "the stage differs from its template"),
    }
}

fn alarms(case: &Case, seen: &Seen) -> Checked {
    const CHECK: &str = "alarms";
    const KIND: &str = "AWS::CloudWatch::Alarm";
    let (mut count, mut differ) = (0, Vec::new());
    for (stack, rendered) in &case.rendered {
        let ids = rendered.resources.iter().filter(|one| one.kind == KIND);
        let ids: Vec<&str> = ids.map(|one| one.id.as_str()).collect();
        if ids.is_empty() {
            continue;
        }
        let Some(found) = compared(case, seen, *stack, &ids) else {
            return checked(CHECK, Verdict::Unknown, format!("{stack} was not compared"));
        };
        count += ids.len();
        differ.extend(found);
    }
    if differ.is_empty() {
        // Reading alarms needs a right that nothing else here needs.
        let detail = format!("all {count} exist; their states are in Mission Control");
        return checked(CHECK, Verdict::Ok, detail);
    }
    checked(CHECK, Verdict::Wrong, format!("differ from their template: {}", differ.join(", ")))
}

fn certificates(case: &Case) -> Vec<Checked> {
    let domains = &case.facts.config.domains;
    let one = |front: &crate::model::Front| {
        let served = domains.seen.get(front);
        let (verdict, is) = match served {
            Some(served) if served.attached && served.answers => (Verdict::Ok, "attached"),
            Some(served) if served.attached => (Verdict::Wrong, "attached, and does not answer"),
            Some(_) => (Verdict::Wrong, "not attached yet; see `spaceduck domains`"),
            None => (Verdict::Unknown, "not looked at"),
        };
        checked("domain-certificate", verdict, format!("the domain of {}: {is}", front.name()))
    };
    domains.names.keys().map(one).collect()
}
