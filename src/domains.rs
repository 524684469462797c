//! Looks at the domains of sites and API: their certificates, whether they are attached, whether
//! they answer; and remembers since when.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use galaxy_mail::name::Domain;
use galaxy_mail::records::{Front as Wanted, Purpose};
use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::config::{Config, Domains, Served};
use crate::failure::Failure;
use crate::model::{Certificate, CertificateState, Front, Outputs, Place};
use crate::ports::{Answer, World};

/// What is kept in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Front → the domain and since when it answers, in seconds since 1970.
    pub served: BTreeMap<String, (String, u64)>,
}

/// Reads everything that decides what is rendered and planned. Makes no request for a galaxy that
/// has no domains and never had any.
pub async fn seen(world: &World, config: &Config) -> Result<Domains, Failure> {
    let names = config.domains.names.clone();
    let note = world.notes.get(&catalog::domains_path(&config.name)).await?;
    let mut domains = Domains { names, noted: note.is_some(), ..Domains::default() };
    if domains.names.is_empty() && !domains.noted {
        return Ok(domains);
    }
    let memory: Memory = note.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut known = Vec::new();
    for place in [Place::Home, Place::Edge] {
        let ours = world.certificates.ours(place, &config.name).await?;
        known.extend(ours.into_iter().map(|certificate| (place, certificate)));
    }
    let mut needed = Vec::new();
    for (front, domain) in &domains.names {
        let told = outputs(world, config, *front).await?;
        let served = one(world, *front, domain, &known, &told).await;
        let before = memory.served.get(front.name()).filter(|(was, _)| was == domain.as_str());
        let since = match before {
            Some((_, since)) if served.attached => Some(*since),
            _ => served.since,
        };
        needed.extend(served.certificate.iter().map(|certificate| certificate.arn.clone()));
        needed.extend(served.usable.clone());
        domains.seen.insert(*front, Served { since, ..served });
    }
    let unneeded = known.into_iter().filter(|(_, one)| !one.in_use && !needed.contains(&one.arn));
    domains.stale = unneeded.map(|(place, one)| (place, one.arn)).collect();
    Ok(domains)
}

/// The best certificate of each domain, as it is now.
pub async fn certificates(
    world: &World,
    config: &Config,
) -> Result<BTreeMap<Front, Certificate>, Failure> {
    let mut best = BTreeMap::new();
    let mut known = BTreeMap::new();
    for (front, domain) in &config.domains.names {
        let place = front.place();
        if let Entry::Vacant(free) = known.entry(place) {
            free.insert(world.certificates.ours(place, &config.name).await?);
        }
        let mine = known.get(&place).into_iter().flatten().filter(|one| one.domain == *domain);
        best.extend(mine.max_by_key(|one| one.rank()).map(|one| (*front, one.clone())));
    }
    Ok(best)
}

/// The target of a domain, from the stack's outputs.
pub(crate) async fn outputs(
    world: &World,
    config: &Config,
    front: Front,
) -> Result<Outputs, Failure> {
    let stack = catalog::stack_of(front);
    let seen = world.stacks.find(stack.place(), &stack.name(&config.name)).await?;
    Ok(seen.map(|seen| seen.outputs).unwrap_or_default())
}

async fn one(
    world: &World,
    front: Front,
    domain: &Domain,
    known: &[(Place, Certificate)],
    told: &Outputs,
) -> Served {
    let mine =
        |(place, one): &&(Place, Certificate)| *place == front.place() && one.domain == *domain;
    let mine = || known.iter().filter(mine).map(|(_, one)| one);
    let certificate = mine().max_by_key(|one| one.rank()).cloned();
    let usable = mine().filter(|one| one.is_usable()).max_by_key(|one| one.rank());
    let leads = told.get(catalog::ATTACHED_DOMAIN).is_some_and(|at| at == domain.as_str());
    let at_work = told.get(catalog::ATTACHED_CERTIFICATE).filter(|_| leads);
    // A certificate in use stays in use, even if someone removed our tag from it.
    let usable = usable.map(|one| one.arn.clone()).or_else(|| at_work.cloned());
    let attached = at_work.is_some() && at_work == usable.as_ref();
    let at = world.clock.now();
    let answers = attached && world.web.get(&address(front, domain)).await == Answer::Status(200);
    Served { certificate, usable, attached, answers, since: answers.then_some(at), at }
}

/// The URL that shows whether a domain answers.
#[must_use]
pub fn address(front: Front, domain: &Domain) -> String {
    match front {
        Front::Site(_) => format!("https://{domain}/"),
        Front::Api => format!("https://{domain}/prod/beak/system/status"),
    }
}

/// Keeps since when domains answer. Whether there was anything new.
pub async fn remember(world: &World, config: &Config) -> Result<bool, Failure> {
    let path = catalog::domains_path(&config.name);
    let Some(note) = world.notes.get(&path).await? else { return Ok(false) };
    let mut memory: Memory = serde_json::from_str(&note).unwrap_or_default();
    let before = memory.clone();
    memory.served.retain(|name, (was, _)| {
        let front = Front::parse(name);
        let domain = front.and_then(|front| config.domains.names.get(&front));
        domain.is_some_and(|domain| domain.as_str() == was)
    });
    for (front, served) in &config.domains.seen {
        if let (Some(since), Some(domain)) = (served.since, config.domains.names.get(front)) {
            let entry = memory.served.entry(front.name().to_owned());
            entry.or_insert_with(|| (domain.to_string(), since));
        }
    }
    if memory == before {
        return Ok(false);
    }
    let text = serde_json::to_string(&memory).map_err(|error| Failure::bug(error.to_string()))?;
    world.notes.put(&path, &text).await?;
    Ok(true)
}

/// Whether another run has something to do now that an earlier one had not: a certificate was
/// issued, or a domain answers that is not published yet.
#[must_use]
pub fn is_further(before: &Domains, now: &Domains) -> bool {
    let attach = |front: &Front| now.attach(*front).is_some() && !now.seen[front].attached;
    let told =
        |front: &Front| now.answering(*front).is_some() && before.answering(*front).is_none();
    now.seen.keys().any(|front| attach(front) || told(front))
}

/// Whether nothing will change by waiting: each domain answers, or Amazon has refused it.
#[must_use]
pub fn is_settled(now: &Domains) -> bool {
    let refused = |one: &Certificate| matches!(one.state, CertificateState::Failed(_));
    let over = |served: &Served| {
        served.since.is_some() || served.certificate.as_ref().is_some_and(refused)
    };
    now.seen.values().all(over)
}

/// What is wanted in the DNS for each domain, as far as it is known.
pub async fn wanted(world: &World, config: &Config) -> Result<Vec<Wanted>, Failure> {
    let mut wanted = Vec::new();
    for (front, domain) in &config.domains.names {
        let told = outputs(world, config, *front).await?;
        let (purpose, target) = match front {
            Front::Site(_) => (Purpose::Site, told.get("DistributionDomain")),
            Front::Api => (Purpose::Api, told.get("RegionalDomainName")),
        };
        let served = config.domains.seen.get(front);
        let certificate = served.and_then(|served| served.certificate.as_ref());
        wanted.push(Wanted {
            purpose,
            domain: domain.clone(),
            target: target.and_then(|target| Domain::parse(target).ok()),
            validation: certificate.and_then(|certificate| certificate.proof.clone()),
            alias: is_alias(config, purpose, domain),
        });
    }
    Ok(wanted)
}

/// Whether the record that leads to a front is or will be an alias in Route 53. An existing CNAME
/// is as good.
fn is_alias(config: &Config, purpose: Purpose, domain: &Domain) -> bool {
    let slot = config.hosting.slots.iter().find(|s| s.purpose == purpose && s.domain == *domain);
    match slot {
        Some(slot) => !slot.kinds.contains(&"CNAME"),
        None => !config.hosting.manual && config.hosting.zone_of(domain).is_some(),
    }
}

/// The state of a domain, in one sentence.
#[must_use]
pub fn standing(domains: &Domains, front: Front) -> String {
    let nothing = Served::default();
    let served = domains.seen.get(&front).unwrap_or(&nothing);
    match (&served.certificate, served.attached, served.since) {
        (Some(Certificate { state: CertificateState::Over(why), .. }), ..) => {
            format!("its certificate is over: {why}; `spaceduck install` asks for another one")
        }
        (_, true, Some(_)) if !served.answers => {
            "it has answered and does not now: look at its record below".into()
        }
        (_, true, Some(_)) if domains.hsts(front) > 300 => {
            "it answers, and browsers insist on TLS for a year".into()
        }
        (_, true, Some(_)) => {
            "it answers; browsers insist on TLS for five minutes, and for a year \
                               once it has served for a day"
                .into()
        }
        (_, true, None) => "it is attached and does not answer yet: its record is missing".into(),
        (Some(one), false, _) if one.state == CertificateState::Issued => {
            "its certificate is issued; `spaceduck install` attaches the domain".into()
        }
        (None, ..) => "no certificate was asked for yet; `spaceduck install` does".into(),
        (Some(one), ..) => match &one.state {
            CertificateState::Waiting => {
                "Amazon waits for the record that proves the domain".into()
            }
            CertificateState::Failed(why) => format!(
                "Amazon will not issue the certificate: {why}; mend it, then `spaceduck install` \
                 asks for another one"
            ),
            CertificateState::Other(word) => format!("Amazon says `{word}` of its certificate"),
            _ => "it is on its way".into(),
        },
    }
}
