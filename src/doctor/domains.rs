//! Domains: whether they can be proved to Amazon, and whether something else has them.

use galaxy_mail::judge::State;
use galaxy_mail::name::Domain;
use galaxy_mail::records::{Data, Purpose, Wanted};

use super::{Case, Finding, Level};
use crate::catalog;
use crate::model::{Front, Place, StackSeen};
use crate::ports::Thing;

/// A record of the kind that will prove the domain. It is not there yet; what is in its way is.
const PROBE: &str = "_spaceduck-probe";

pub(super) async fn find(case: &Case) -> Vec<Finding> {
    let names = &case.facts.config.domains.names;
    if names.is_empty() {
        return vec![Finding::new("domains", Level::Ok, "none is wanted")];
    }
    let mut found = Vec::new();
    for (front, domain) in names {
        found.extend(clash(case, *front, domain).await);
        found.extend(zone(case, domain).await);
    }
    // What the name servers tell of a zone in Route 53 was told with its domain.
    let told = |trouble: &&String| !trouble.starts_with("The zone ");
    for trouble in case.facts.config.hosting.troubles.iter().filter(told) {
        found.push(Finding::new("domains", Level::Warning, trouble.clone()));
    }
    if found.is_empty() {
        let is = format!("{} can be proved and attached", names.len());
        found.push(Finding::new("domains", Level::Ok, is));
    }
    found
}

/// A distribution can have a domain only if no other one has it.
async fn clash(case: &Case, front: Front, domain: &Domain) -> Option<Finding> {
    let has = |seen: &StackSeen| {
        seen.outputs.get(catalog::ATTACHED_DOMAIN).is_some_and(|at| at == domain.as_str())
    };
    if matches!(front, Front::Api) || case.stacks.values().any(has) {
        return None;
    }
    let taken = case.world.preflight.is_taken(Place::Edge, Thing::Alias, domain.as_str()).await;
    match taken {
        Ok(false) => None,
        Ok(true) => {
            let is = format!("{domain} is an alias of another distribution of this account");
            let cure = "take it off there, or give this site another domain; until then its stack \
                        can't attach it";
            Some(Finding::new("domains", Level::Problem, is).cure(cure))
        }
        Err(failure) => Some(Finding::unknown("domains", &failure)),
    }
}

/// Delegation and CAA.
async fn zone(case: &Case, domain: &Domain) -> Option<Finding> {
    let name = domain.below(PROBE).ok()?;
    let data = Data::Cname(domain.clone());
    let wanted = Wanted { purpose: Purpose::Certificate, name, data };
    let expected = case.facts.config.hosting.expected();
    let looked = match case.world.dns.look(std::slice::from_ref(&wanted), &expected).await {
        Ok(looked) => looked.into_iter().next()?,
        Err(failure) => return Some(Finding::unknown("domains", &failure)),
    };
    match looked.state {
        State::Wrong(mistake) => {
            let finding = Finding::new("domains", Level::Warning, format!("{domain}: {mistake}"));
            Some(finding.cure(mistake.cure(&wanted, looked.zone.as_str())))
        }
        State::Unseen(trouble) => {
            Some(Finding::new("domains", Level::Unknown, format!("{domain}: {trouble}")))
        }
        State::Right | State::Missing => None,
    }
}
