//! Creates and removes records. Each is noted before it is requested, so that none of ours is
//! unknown; and only what still has the value that we gave it is ever removed.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{self, Noted};
use super::now;
use crate::config::{Config, Slot, SlotState};
use crate::failure::{Failure, Kind};
use crate::model::{GalaxyName, Part, RecordSet, Region};
use crate::ports::{Changed, World};

/// How often a zone is read again that was changed meanwhile.
const TRIES: usize = 3;

/// What of a part is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All that is wanted.
    Wanted,
    /// What was made before.
    Made,
}

/// What goes and what comes, by zone.
type Changes = BTreeMap<String, (Vec<RecordSet>, Vec<RecordSet>)>;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Everything is there; whether there was anything to do.
    All(bool),
    /// The caller may not change the zone; what AWS says.
    Forbidden(String),
}

/// Makes what is missing of a part, all of a zone at once.
pub async fn make(
    world: &World,
    config: &Config,
    region: &Region,
    part: Part,
    chosen: Chosen,
) -> Result<Made, Failure> {
    let mut any = false;
    let mut refused = None;
    for _ in 0..TRIES {
        let (slots, mut noted) = now(world, config, region, part).await?;
        refused = None;
        for (zone, (away, new)) in changes(&slots, chosen, &noted) {
            let before = noted.clone();
            noted.entry(zone.clone()).or_default().extend(new.iter().map(RecordSet::mark));
            notes::write(world, &config.name, part, &mut noted).await?;
            let answer = world.zones.change(&zone, &away, &new).await?;
            any |= answer == Changed::Done;
            let sent = Sent { zone: &zone, new: &new, answer: &answer };
            tidy(world, &sent, &before, &mut noted).await?;
            notes::write(world, &config.name, part, &mut noted).await?;
            match answer {
                Changed::Done => {}
                Changed::Refused(why) => refused = Some(why),
                Changed::Forbidden(why) => return Ok(Made::Forbidden(why)),
            }
        }
        if refused.is_none() {
            return Ok(Made::All(any));
        }
    }
    let message = format!("Route 53 does not take the records of the part `{part}`");
    Err(Failure::new(Kind::Settled, message)
        .cause(refused.unwrap_or_default())
        .help("look at the zone in the Route 53 console, then run the same command again"))
}

/// A change of a zone, with Route 53's answer.
struct Sent<'a> {
    zone: &'a str,
    new: &'a [RecordSet],
    answer: &'a Changed,
}

/// Notes what is ours after an answer.
async fn tidy(
    world: &World,
    sent: &Sent<'_>,
    before: &Noted,
    noted: &mut Noted,
) -> Result<(), Failure> {
    let Sent { zone, new, answer } = *sent;
    let done = *answer == Changed::Done;
    // Where it is refused, the answer to an earlier attempt may have been lost: the zone
    // shows it.
    let there = if done { None } else { world.zones.sets(zone).await? };
    let there: BTreeSet<String> = there.unwrap_or_default().iter().map(RecordSet::mark).collect();
    let is_old = |mark: &String| before.get(zone).is_some_and(|old| old.contains(mark));
    // Earlier marks of a record that is replaced are dropped.
    let replaced = |mark: &String| {
        let same = |set: &RecordSet| mark.starts_with(&format!("{} ", set.key()));
        new.iter().any(|set| same(set) && set.mark() != *mark)
    };
    let keep =
        |mark: &String| if done { !replaced(mark) } else { is_old(mark) || there.contains(mark) };
    noted.entry(zone.to_owned()).or_default().retain(keep);
    Ok(())
}

fn changes(slots: &[Slot], chosen: Chosen, noted: &Noted) -> Changes {
    let mut changes = Changes::new();
    for slot in slots {
        let (away, new) = match &slot.state {
            SlotState::Missing(new) => (&[][..], new),
            SlotState::Stale(away, new) => (&away[..], new),
            _ => continue,
        };
        let marks = noted.get(&slot.zone.id);
        let was_made = |set: &RecordSet| {
            let start = format!("{} ", set.key());
            marks.into_iter().flatten().any(|mark| mark.starts_with(&start))
        };
        let new = new.iter().filter(|set| chosen == Chosen::Wanted || was_made(set));
        let entry = changes.entry(slot.zone.id.clone()).or_default();
        for (from, to) in [(away.iter().collect(), &mut entry.0), (new.collect(), &mut entry.1)] {
            let from: Vec<&RecordSet> = from;
            for set in from {
                // Two domains may be proved by the same record.
                if !to.contains(set) {
                    to.push(set.clone());
                }
            }
        }
    }
    changes.retain(|_, (_, new)| !new.is_empty());
    changes
}

fn forbidden(why: String) -> Failure {
    Failure::new(Kind::Access, "removing records in Route 53: a permission is missing")
        .cause(why)
        .help("ask for route53:ChangeResourceRecordSets, then run the same command again")
}

/// Removes what was made of a part and is unchanged; with `chosen`, by zone and mark, only that. A
/// record that someone changed stays, and is no longer ours. Returns whether there was anything.
pub async fn remove(
    world: &World,
    galaxy: &GalaxyName,
    part: Part,
    chosen: Option<&BTreeSet<(String, String)>>,
) -> Result<bool, Failure> {
    let mut any = false;
    let mut refused = None;
    for _ in 0..TRIES {
        let mut noted = notes::read(world, galaxy, part).await?;
        let zones: Vec<String> = noted.keys().cloned().collect();
        refused = None;
        for zone in zones {
            let marks = noted.entry(zone.clone()).or_default();
            let is_chosen = |mark: &&String| {
                chosen.is_none_or(|all| all.contains(&(zone.clone(), (*mark).clone())))
            };
            let going: BTreeSet<String> = marks.iter().filter(is_chosen).cloned().collect();
            let there = world.zones.sets(&zone).await?.unwrap_or_default();
            let away: Vec<RecordSet> =
                there.into_iter().filter(|set| going.contains(&set.mark())).collect();
            if !away.is_empty() {
                match world.zones.change(&zone, &away, &[]).await? {
                    Changed::Done => {}
                    Changed::Refused(why) => {
                        refused = Some(why);
                        continue;
                    }
                    Changed::Forbidden(why) => return Err(forbidden(why)),
                }
            }
            any |= !going.is_empty();
            marks.retain(|mark| !going.contains(mark));
            notes::write(world, galaxy, part, &mut noted).await?;
        }
        if refused.is_none() {
            return Ok(any);
        }
    }
    let message = format!("Route 53 does not let go of the records of the part `{part}`");
    Err(Failure::new(Kind::Settled, message)
        .cause(refused.unwrap_or_default())
        .help("look at the zone in the Route 53 console, then run the same command again"))
}
