//! Zones of the account in Route 53: which of them hold the wanted records, the state of those, and
//! which of them this galaxy made.

use std::collections::{BTreeMap, BTreeSet};

use galaxy_mail::judge::State;
use galaxy_mail::name::Domain;
use galaxy_mail::records::Purpose;

use crate::config::{Config, Hosting, Kept, Led, Ours, OursState, Slot};
use crate::failure::{Failure, Kind};
use crate::model::{HostedZone, Part, RecordSet, Region};
use crate::ports::World;

mod change;
mod notes;
mod state;
mod wishes;

pub use change::{Chosen, Made, make, remove};
use notes::Noted;
use wishes::Wish;

/// The records of zones, by their ids.
type Sets = BTreeMap<String, Vec<RecordSet>>;

/// Reads everything that decides what is planned. Makes no request to Route 53 for a galaxy that
/// wants no records and has made none. Where Route 53 can't be read, that is reported, and all
/// records are the person's.
pub async fn seen(world: &World, config: &Config, region: &Region) -> Result<Hosting, Failure> {
    let mut noted = BTreeMap::new();
    for part in Part::ALL {
        noted.insert(part, notes::read(world, &config.name, part).await?);
    }
    let mut hosting = Hosting { manual: config.hosting.manual, ..Hosting::default() };
    hosting.noted = noted.iter().filter(|(_, note)| !note.is_empty()).map(|(p, _)| *p).collect();
    let looked = async {
        let mut wishes = Vec::new();
        for part in Part::ALL.into_iter().filter(|_| !hosting.manual) {
            wishes.extend(wishes::of(world, config, region, part).await?);
        }
        look(world, wishes, &noted, &mut hosting).await
    };
    match looked.await {
        Err(failure) if matches!(failure.kind, Kind::Access | Kind::Settled) => {
            let why = failure.cause.as_deref().unwrap_or("no reason was given");
            hosting =
                Hosting { manual: hosting.manual, noted: hosting.noted, ..Hosting::default() };
            hosting.troubles.push(format!(
                "Route 53 can't be looked at, so no record is touched: {} ({why}). Allow what \
                 `spaceduck doctor --print-policy` lists, or set `dns: manual` in galaxy.yaml.",
                failure.message()
            ));
            Ok(hosting)
        }
        Err(failure) => Err(failure),
        Ok(()) => Ok(hosting),
    }
}

async fn look(
    world: &World,
    wishes: Vec<Wish>,
    noted: &BTreeMap<Part, Noted>,
    hosting: &mut Hosting,
) -> Result<(), Failure> {
    let mut sets = Sets::new();
    if !wishes.is_empty() {
        let names: Vec<Domain> = wishes.iter().map(|wish| wish.name().clone()).collect();
        for zone in world.zones.holding(&names).await? {
            let Some(there) = world.zones.sets(&zone.id).await? else { continue };
            let led = led(world, &zone).await?;
            let cuts = cuts(&zone, &there);
            sets.insert(zone.id.clone(), there);
            hosting.zones.push(Kept { zone, led, cuts });
        }
    }
    for zone in noted.values().flat_map(BTreeMap::keys) {
        if !sets.contains_key(zone) {
            // One that is gone took its records along.
            sets.insert(zone.clone(), world.zones.sets(zone).await?.unwrap_or_default());
        }
    }
    let wishes = without_needless(world, wishes, hosting, &sets).await?;
    hosting.slots = slots(&wishes, &hosting.zones, &sets, noted);
    hosting.ours = ours(hosting, &sets, noted);
    hosting.troubles.extend(troubles(hosting));
    Ok(())
}

/// Whom the parent of a zone leads to.
async fn led(world: &World, zone: &HostedZone) -> Result<Led, Failure> {
    let Some(led) = world.dns.led(&zone.name).await? else { return Ok(Led::Unknown) };
    let ours = led.servers.iter().any(|server| zone.servers.contains(server));
    Ok(if led.zone == zone.name && ours { Led::Here } else { Led::Elsewhere(led) })
}

/// Names that a zone leads to other servers.
fn cuts(zone: &HostedZone, sets: &[RecordSet]) -> Vec<Domain> {
    let cut = |set: &&RecordSet| set.kind == "NS" && set.name != zone.name;
    sets.iter().filter(cut).map(|set| set.name.clone()).collect()
}

/// A DMARC record at a mail domain replaces the organisation's. Where the organisation has one, or
/// that can't be found out, none is made.
async fn without_needless(
    world: &World,
    wishes: Vec<Wish>,
    hosting: &Hosting,
    sets: &Sets,
) -> Result<Vec<Wish>, Failure> {
    let mut kept = Vec::new();
    for wish in wishes {
        let wanted = match &wish.wanted {
            Some(wanted) if wanted.purpose == Purpose::Dmarc => wanted,
            _ => {
                kept.push(wish);
                continue;
            }
        };
        let above = wish.domain.organisational();
        let at = |name: &Domain| -> Option<bool> {
            let zone = hosting.zone_of(name)?;
            let sets = sets.get(&zone.id)?;
            Some(sets.iter().any(|set| set.name == *name))
        };
        let own = at(&wanted.name) == Some(true);
        let is_needed = match above.below("_dmarc").ok().as_ref() {
            _ if own || above == wish.domain => true,
            Some(above) if at(above).is_some() => at(above) == Some(false),
            _ => {
                let looked = world.dns.look(std::slice::from_ref(wanted), &[]).await?;
                looked.iter().any(|looked| looked.state == State::Missing)
            }
        };
        if is_needed {
            kept.push(wish);
        }
    }
    Ok(kept)
}

fn slots(wishes: &[Wish], zones: &[Kept], sets: &Sets, noted: &BTreeMap<Part, Noted>) -> Vec<Slot> {
    let chosen = Hosting { zones: zones.to_vec(), ..Hosting::default() };
    let nothing = BTreeSet::new();
    let one = |wish: &Wish| {
        let zone = chosen.zone_of(wish.name())?;
        let there = sets.get(&zone.id)?;
        let marks = noted.get(&wish.part).and_then(|note| note.get(&zone.id)).unwrap_or(&nothing);
        Some(state::slot(wish, zone, there, marks))
    };
    wishes.iter().filter_map(one).collect()
}

/// What was made, as it is noted and as it is.
fn ours(hosting: &Hosting, sets: &Sets, noted: &BTreeMap<Part, Noted>) -> Vec<Ours> {
    let mut all = Vec::new();
    for (part, note) in noted {
        for (zone, mark) in
            note.iter().flat_map(|(zone, marks)| marks.iter().map(move |m| (zone, m)))
        {
            let mut one = Ours {
                part: *part,
                zone: zone.clone(),
                mark: mark.clone(),
                state: OursState::Gone,
                wanted: true,
            };
            let same = |set: &&RecordSet| set.key() == one.key();
            if let Some(set) = sets.get(zone).into_iter().flatten().find(same) {
                let unchanged = set.mark() == *mark;
                one.state = if unchanged {
                    OursState::There
                } else {
                    OursState::Changed(set.says.to_string())
                };
            }
            one.wanted = is_wanted(hosting, &one);
            all.push(one);
        }
    }
    all
}

/// Whether a slot is for what was made. Where what is wanted is not known yet, nothing near it is
/// given up.
fn is_wanted(hosting: &Hosting, one: &Ours) -> bool {
    let (name, kind) = one.key().split_once(' ').unwrap_or((one.key(), ""));
    let Ok(name) = Domain::parse(name) else { return true };
    let fits = |slot: &Slot| match &slot.name {
        Some(wanted) => *wanted == name && slot.kinds.contains(&kind),
        None => name.is_within(&slot.domain),
    };
    let mut slots = hosting.slots.iter().filter(|s| s.part == one.part && s.zone.id == one.zone);
    hosting.manual || slots.any(fits)
}

/// Zones of the account that get no records, and why.
fn troubles(hosting: &Hosting) -> Vec<String> {
    let mut told = Vec::new();
    let mut names: Vec<&Domain> = hosting.zones.iter().map(|kept| &kept.zone.name).collect();
    names.sort();
    names.dedup();
    for name in names {
        // A zone above it takes the records, or one of the same name does.
        if hosting.zone_of(name).is_some() {
            continue;
        }
        let same: Vec<&Kept> = hosting.zones.iter().filter(|k| k.zone.name == *name).collect();
        told.push(match same[..] {
            [Kept { zone, led: Led::Elsewhere(led), .. }] => format!(
                "The zone {name} in Route 53 is not the one that people are led to: {} answers \
                 for it, at {}. Set {} as its name servers at the registrar, or set the records \
                 where they are now; nothing is made in it until then.",
                led.zone,
                list(&led.servers),
                list(&zone.servers)
            ),
            _ => format!(
                "Route 53 has {} public zones {name} ({}), and it is unclear which of them is \
                 in use, so no record is created. Delete the unused ones, or \
                 set the name servers of one at the registrar.",
                same.len(),
                same.iter().map(|kept| kept.zone.id.as_str()).collect::<Vec<_>>().join(", ")
            ),
        });
    }
    told
}

fn list(names: &[Domain]) -> String {
    names.iter().map(Domain::as_str).collect::<Vec<_>>().join(", ")
}

/// What is wanted of a part in the chosen zones, read again.
async fn now(
    world: &World,
    config: &Config,
    region: &Region,
    part: Part,
) -> Result<(Vec<Slot>, Noted), Failure> {
    let noted = notes::read(world, &config.name, part).await?;
    let wishes = wishes::of(world, config, region, part).await?;
    let mut sets = Sets::new();
    let hosting = &config.hosting;
    for wish in &wishes {
        if let Some(zone) = hosting.zone_of(wish.name())
            && !sets.contains_key(&zone.id)
        {
            sets.insert(zone.id.clone(), world.zones.sets(&zone.id).await?.unwrap_or_default());
        }
    }
    let wishes = without_needless(world, wishes, hosting, &sets).await?;
    let slots = slots(&wishes, &hosting.zones, &sets, &BTreeMap::from([(part, noted.clone())]));
    Ok((slots, noted))
}

#[cfg(test)]
mod tests;
