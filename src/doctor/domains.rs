//! Domains: whether they can be proved to Amazon, and whether something else has them.

use galaxy_mail::judge::{Mistake, State};
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
        found.extend(elsewhere(case, *front, domain).await);
        found.extend(zone(case, domain).await);
    }
    // What the name servers say about a zone in Route 53 was reported with its domain.
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

/// Whether a distribution of this galaxy has the domain.
fn is_ours(case: &Case, domain: &Domain) -> bool {
    let has = |seen: &StackSeen| {
        seen.outputs.get(catalog::ATTACHED_DOMAIN).is_some_and(|at| at == domain.as_str())
    };
    case.stacks.values().any(has)
}

/// A distribution can have a domain only if no other one has it.
async fn clash(case: &Case, front: Front, domain: &Domain) -> Option<Finding> {
    if matches!(front, Front::Api) || is_ours(case, domain) {
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

/// Aliases of other accounts can't be listed; but a name that leads to a distribution which is not
/// ours is most likely an alias of that one.
async fn elsewhere(case: &Case, front: Front, domain: &Domain) -> Option<Finding> {
    if matches!(front, Front::Api) || is_ours(case, domain) {
        return None;
    }
    let data = Data::Cname(domain.below(PROBE).ok()?);
    let wanted = Wanted { purpose: Purpose::Site, name: domain.clone(), data };
    let looked = case.world.dns.look(std::slice::from_ref(&wanted), &[]).await;
    // Where no server can be reached, the check of its zone says so.
    let State::Wrong(Mistake::Different(targets)) = looked.ok()?.into_iter().next()?.state else {
        return None;
    };
    let tells = |seen: &StackSeen, target: &str| seen.outputs.values().any(|told| told == target);
    let ours = |target: &str| case.stacks.values().any(|seen| tells(seen, target));
    let target = targets.into_iter().find(|at| at.ends_with(".cloudfront.net") && !ours(at))?;
    let is = format!("{domain} leads to {target}, which is no distribution of this galaxy");
    let cure = "take the domain off that distribution, in whatever account it is: as long as it \
                has it, CloudFront refuses it to this site; \
                https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/\
                alternate-domain-names-move.html explains how, if you have no access to it";
    Some(Finding::new("domains", Level::Warning, is).cure(cure))
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
