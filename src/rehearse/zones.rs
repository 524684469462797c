//! Zones of the account in memory, with their records and delegations.

use std::collections::BTreeMap;

use async_trait::async_trait;
use galaxy_mail::judge::{Hosted, Mistake, State};
use galaxy_mail::name::Domain;
use galaxy_mail::records::{Data, Wanted};

use super::{Account, refuse};
use crate::failure::{Failure, Kind};
use crate::model::{HostedZone, RecordSet, Says};
use crate::ports::{Changed, Zones};

/// Zones and what is known of them outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosting {
    zones: Vec<(HostedZone, Vec<RecordSet>)>,
    /// Whom the parent of a name leads to, where it is not the zone of that name here.
    led: BTreeMap<Domain, Option<Hosted>>,
    /// What the caller may not do.
    closed: Closed,
    /// Records that someone else creates right before the next change.
    race: Vec<(String, RecordSet)>,
}

/// What of Route 53 is closed to the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closed {
    /// Nothing.
    #[default]
    Open,
    /// Changing records.
    Changing,
    /// Looking, and so everything.
    Looking,
}

impl Hosting {
    /// The zone that people are led to for a name, of those here.
    fn public(&self, name: &Domain) -> Option<&(HostedZone, Vec<RecordSet>)> {
        let is_led =
            |zone: &HostedZone| self.led(&zone.name).is_some_and(|led| led.servers == zone.servers);
        let around = self.zones.iter().filter(|(zone, _)| name.is_within(&zone.name));
        around.filter(|(zone, _)| is_led(zone)).max_by_key(|(zone, _)| zone.name.as_str().len())
    }

    /// Whom people are led to; the zone of that name here, unless it was said otherwise.
    pub(super) fn led(&self, name: &Domain) -> Option<Hosted> {
        if let Some(led) = self.led.get(name) {
            return led.clone();
        }
        let (zone, _) = self.zones.iter().find(|(zone, _)| zone.name == *name)?;
        Some(Hosted { zone: zone.name.clone(), servers: zone.servers.clone() })
    }

    /// Whether there is any record at a name; nothing where it is in no zone here.
    pub(super) fn is_set(&self, name: &Domain) -> Option<bool> {
        let (_, sets) = self.public(name)?;
        Some(sets.iter().any(|set| set.name == *name))
    }

    /// How a wanted record is; nothing where it lies in no zone here.
    pub(super) fn state(&self, wanted: &Wanted) -> Option<State> {
        let (_, sets) = self.public(&wanted.name)?;
        let there: Vec<&RecordSet> = sets.iter().filter(|s| s.name == wanted.name).collect();
        let says = |set: &&&RecordSet| match (&set.says, &wanted.data) {
            (Says::Alias { target, .. }, Data::Alias(wanted)) => target == wanted,
            (Says::Values { values, .. }, data) => {
                values.iter().any(|value| value.contains(&data.value()))
            }
            _ => false,
        };
        Some(if there.is_empty() {
            State::Missing
        } else if there.iter().any(|set| says(&set)) {
            State::Right
        } else {
            let is = there.iter().map(|set| set.says.to_string()).collect();
            State::Wrong(Mistake::Different(is))
        })
    }
}

impl Account {
    /// A public zone in Route 53, to which people are led; its id.
    pub fn host(&self, name: &Domain) -> String {
        let mut state = self.state();
        let number = state.zones.zones.len() + 1;
        let server = Domain::parse(&format!("ns-{number}.awsdns.example"));
        let zone = HostedZone {
            id: format!("Z{number}"),
            name: name.clone(),
            servers: server.into_iter().collect(),
        };
        let id = zone.id.clone();
        state.zones.zones.push((zone, Vec::new()));
        id
    }

    /// Sets a record by hand, over an existing one.
    pub fn place(&self, zone: &str, set: RecordSet) {
        let mut state = self.state();
        let zone = state.zones.zones.iter_mut().find(|(known, _)| known.id == zone);
        if let Some((_, sets)) = zone {
            sets.retain(|one| one.key() != set.key());
            sets.push(set);
        }
    }

    /// Removes a record by hand, by its name and type.
    pub fn displace(&self, key: &str) {
        for (_, sets) in &mut self.state().zones.zones {
            sets.retain(|set| set.key() != key);
        }
    }

    /// Sets a record by hand right before the next change.
    pub fn race(&self, zone: &str, set: RecordSet) {
        self.state().zones.race.push((zone.to_owned(), set));
    }

    /// The servers that the parent of a name delegates to; nothing where that can't be found out.
    pub fn lead(&self, name: &Domain, to: Option<Hosted>) {
        self.state().zones.led.insert(name.clone(), to);
    }

    /// Closes Route 53 to the caller, or opens it again.
    pub fn close(&self, closed: Closed) {
        self.state().zones.closed = closed;
    }

    /// The records of a zone, by name and type.
    #[must_use]
    pub fn records(&self, zone: &str) -> BTreeMap<String, String> {
        let state = self.state();
        let zone = state.zones.zones.iter().find(|(known, _)| known.id == zone);
        let sets = zone.into_iter().flat_map(|(_, sets)| sets);
        sets.map(|set| (set.key(), set.says.to_string())).collect()
    }

    fn is_open(&self, doing: &str, closed: Closed) -> Result<(), Failure> {
        if self.state().zones.closed == closed {
            let message = format!("{doing}: a permission is missing");
            return Err(Failure::new(Kind::Access, message).cause("AccessDenied: not you"));
        }
        Ok(())
    }
}

#[async_trait]
impl Zones for Account {
    async fn holding(&self, names: &[Domain]) -> Result<Vec<HostedZone>, Failure> {
        self.may("Zones::holding")?;
        self.hear()?;
        self.is_open("listing the zones in Route 53", Closed::Looking)?;
        let state = self.state();
        let zones = state.zones.zones.iter().map(|(zone, _)| zone);
        let holds = |zone: &&HostedZone| names.iter().any(|name| name.is_within(&zone.name));
        Ok(zones.filter(holds).cloned().collect())
    }

    async fn sets(&self, zone: &str) -> Result<Option<Vec<RecordSet>>, Failure> {
        self.may("Zones::sets")?;
        self.hear()?;
        self.is_open("listing the records of a zone", Closed::Looking)?;
        let state = self.state();
        let zone = state.zones.zones.iter().find(|(known, _)| known.id == zone);
        Ok(zone.map(|(_, sets)| sets.clone()))
    }

    async fn change(
        &self,
        zone: &str,
        away: &[RecordSet],
        new: &[RecordSet],
    ) -> Result<Changed, Failure> {
        self.may("Zones::change")?;
        if self.is_open("", Closed::Changing).is_err() {
            return Ok(Changed::Forbidden("AccessDenied: not you".into()));
        }
        let race = std::mem::take(&mut self.state().zones.race);
        for (zone, set) in race {
            self.place(&zone, set);
        }
        let keys =
            |sets: &[RecordSet]| sets.iter().map(RecordSet::key).collect::<Vec<_>>().join(", ");
        let what = format!("records in {zone}: away [{}], new [{}]", keys(away), keys(new));
        self.effect(what, |state| {
            let known = state.zones.zones.iter_mut().find(|(known, _)| known.id == zone);
            let (_, sets) = known.ok_or_else(|| refuse(format!("there is no zone {zone}")))?;
            let mut next = sets.clone();
            for set in away {
                let Some(at) = next.iter().position(|one| one == set) else {
                    return Ok(Changed::Refused(format!("{} was not found", set.key())));
                };
                next.remove(at);
            }
            for set in new {
                let same = |one: &&RecordSet| one.name == set.name;
                let clash = |one: &RecordSet| {
                    one.kind == set.kind || one.kind == "CNAME" || set.kind == "CNAME"
                };
                if next.iter().filter(same).any(clash) {
                    return Ok(Changed::Refused(format!("{} can't be beside it", set.key())));
                }
                next.push(set.clone());
            }
            *sets = next;
            Ok(Changed::Done)
        })
    }
}
