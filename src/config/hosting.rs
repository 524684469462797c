//! The part of `galaxy.yaml` that is about who sets DNS records, and what was seen of Route 53.

use std::collections::BTreeSet;

use galaxy_mail::judge::Hosted;
use galaxy_mail::name::Domain;
use galaxy_mail::records::{Purpose, Wanted};

use super::document::Value;
use super::{Config, Reader};
use crate::model::{HostedZone, Part, RecordSet};

/// Who sets DNS records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosting {
    /// Whether a person sets all of them, whatever is in Route 53.
    pub manual: bool,
    /// The zones of this account that contain wanted names; not from the file.
    pub zones: Vec<Kept>,
    /// What is wanted in them; not from the file.
    pub slots: Vec<Slot>,
    /// What was made in them by this galaxy; not from the file.
    pub ours: Vec<Ours>,
    /// Parts of which something was made, or was about to be; not from the file.
    pub noted: BTreeSet<Part>,
    /// What is in the way, a sentence each; not from the file.
    pub troubles: Vec<String>,
}

/// A zone of this account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The zone.
    pub zone: HostedZone,
    /// The delegation in its parent.
    pub led: Led,
    /// Names below it that it leads to other servers, with all that is below them.
    pub cuts: Vec<Domain>,
}

/// The servers that a zone's parent delegates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Led {
    /// To this zone.
    Here,
    /// To other servers, of the zone of that name.
    Elsewhere(Hosted),
    /// Unknown, or the domain is not registered.
    Unknown,
}

/// Something that is wanted in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// With what it is made.
    pub part: Part,
    /// Its purpose.
    pub purpose: Purpose,
    /// The domain that it is about.
    pub domain: Domain,
    /// The name that it has; nothing while Amazon has not chosen one.
    pub name: Option<Domain>,
    /// The types of records.
    pub kinds: Vec<&'static str>,
    /// The zone.
    pub zone: HostedZone,
    /// Its state.
    pub state: SlotState,
    /// Whether what is there was made by this galaxy.
    pub ours: bool,
}

/// How something wanted is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// It is there.
    There,
    /// These can be made: nothing is in their place.
    Missing(Vec<RecordSet>),
    /// What was made says something else by now: these go, and the others come.
    Stale(Vec<RecordSet>, Vec<RecordSet>),
    /// What it says is not known yet.
    Later,
    /// A record that we did not set, with the value it should have, where that is known yet.
    Taken(String, Option<Wanted>),
}

/// Records that this galaxy has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours {
    /// With what they were made.
    pub part: Part,
    /// The id of their zone.
    pub zone: String,
    /// Name and type, and what they said, as they are noted.
    pub mark: String,
    /// How they are.
    pub state: OursState,
    /// Whether they are still wanted.
    pub wanted: bool,
}

/// How records are that were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OursState {
    /// As they were made.
    There,
    /// Deleted.
    Gone,
    /// They were changed outside `spaceduck`; their current values.
    Changed(String),
}

impl Ours {
    /// Name and type.
    #[must_use]
    pub fn key(&self) -> &str {
        self.mark.rsplit_once(' ').map_or(self.mark.as_str(), |(key, _)| key)
    }
}

impl Slot {
    /// Whether a run would change it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, SlotState::Missing(_) | SlotState::Stale(..) | SlotState::Later)
    }

    /// Whether it can be made right now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, SlotState::Missing(_) | SlotState::Stale(..))
    }
}

impl Kept {
    /// Whether a name below it is one that it answers for.
    fn answers_for(&self, name: &Domain) -> bool {
        let cut = |cut: &Domain| name.is_within(cut);
        name.is_within(&self.zone.name) && !self.cuts.iter().any(cut)
    }
}

impl Hosting {
    /// The zone in which a record of that name is set, where it is one of this account: the
    /// nearest one that people are led to.
    #[must_use]
    pub fn zone_of(&self, name: &Domain) -> Option<&HostedZone> {
        let led = |kept: &&Kept| !matches!(kept.led, Led::Elsewhere(_));
        let around = |kept: &&Kept| name.is_within(&kept.zone.name);
        let known: Vec<&Kept> = self.zones.iter().filter(led).filter(around).collect();
        let length = known.iter().map(|kept| kept.zone.name.as_str().len()).max()?;
        let near = |kept: &&Kept| kept.zone.name.as_str().len() == length;
        let nearest: Vec<&Kept> = known.into_iter().filter(near).collect();
        let chosen = if let [only] = nearest[..] {
            Some(only)
        } else {
            let mut here = nearest.into_iter().filter(|kept| kept.led == Led::Here);
            here.next().filter(|_| here.next().is_none())
        };
        chosen.filter(|kept| kept.answers_for(name)).map(|kept| &kept.zone)
    }

    /// Where records are expected in zones of this account, including zones without a delegation.
    #[must_use]
    pub fn expected(&self) -> Vec<Hosted> {
        let one = |kept: &&Kept| {
            let zone = &kept.zone;
            let alone = self.zones.iter().filter(|other| other.zone.name == zone.name).count() == 1;
            let used = self.zone_of(&zone.name);
            used.map_or(alone, |used| used.id == zone.id)
        };
        let hosted = |kept: &Kept| {
            let HostedZone { name, servers, .. } = &kept.zone;
            Hosted { zone: name.clone(), servers: servers.clone() }
        };
        self.zones.iter().filter(one).map(hosted).collect()
    }

    /// What is wanted at a name.
    #[must_use]
    pub fn slot(&self, wanted: &Wanted) -> Option<&Slot> {
        let same = |slot: &&Slot| {
            slot.purpose == wanted.purpose && slot.name.as_ref() == Some(&wanted.name)
        };
        self.slots.iter().find(same)
    }

    /// Whether a record is there as it is wanted, as Route 53 itself says.
    #[must_use]
    pub fn has(&self, wanted: &Wanted) -> bool {
        self.slot(wanted).is_some_and(|slot| slot.state == SlotState::There)
    }

    /// Whether this galaxy sets a record or has set it.
    #[must_use]
    pub fn sets(&self, wanted: &Wanted) -> bool {
        self.slot(wanted).is_some_and(|slot| slot.ours || slot.is_open())
    }

    /// What was left alone, and why, a sentence each.
    #[must_use]
    pub fn left_alone(&self) -> Vec<String> {
        let taken = self.slots.iter().filter_map(|slot| {
            let SlotState::Taken(is, wanted) = &slot.state else { return None };
            let zone = &slot.zone.name;
            let Some(wanted) = wanted else {
                let name = &slot.domain;
                return Some(format!(
                    "{name} in the zone {zone} is currently {is} and stays unchanged; the \
                     install shows the expected value at its end."
                ));
            };
            let name = &wanted.name;
            let should = format!("{} {}", wanted.data.kind(), wanted.data.value());
            let cure = match wanted.purpose {
                Purpose::Spf => {
                    "add `include:amazonses.com` to its SPF record, or make one there; never two"
                }
                _ => "change it in Route 53, or delete it and run `spaceduck install` again",
            };
            Some(format!(
                "{name} in the zone {zone} is currently {is} and was left alone; should be \
                 {should}: {cure}."
            ))
        });
        self.troubles.iter().cloned().chain(taken).collect()
    }
}

impl Reader<'_> {
    pub(super) fn hosting(&mut self, value: &Value, config: &mut Config) {
        match value.text.as_str() {
            "auto" => config.hosting.manual = false,
            "manual" => config.hosting.manual = true,
            _ => self.wanted(value, "`auto` or `manual`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, parse};

    fn name(text: &str) -> Domain {
        Domain::parse(text).expect("a name")
    }

    fn kept(id: &str, zone: &str, led: Led) -> Kept {
        let servers = vec![name(&format!("ns.{}.aws", id.to_lowercase()))];
        let zone = HostedZone { id: id.into(), name: name(zone), servers };
        Kept { zone, led, cuts: Vec::new() }
    }

    fn elsewhere() -> Led {
        let servers = vec![name("ns1.provider")];
        Led::Elsewhere(Hosted { zone: name("example.org"), servers })
    }

    fn chosen(zones: Vec<Kept>, at: &str) -> Option<String> {
        let hosting = Hosting { zones, ..Hosting::default() };
        hosting.zone_of(&name(at)).map(|zone| zone.id.clone())
    }

    #[test]
    fn the_nearest_zone_by_labels_has_the_record() {
        let zones = || {
            vec![kept("Z1", "example.org", Led::Here), kept("Z2", "a.example.org", Led::Unknown)]
        };
        for (at, zone) in [
            ("docs.example.org", Some("Z1")),
            ("example.org", Some("Z1")),
            ("x.a.example.org", Some("Z2")),
            ("badexample.org", None),
            ("ba.example.org", Some("Z1")),
        ] {
            assert_eq!(chosen(zones(), at).as_deref(), zone, "{at}");
        }
    }

    #[test]
    fn a_zone_that_nobody_is_led_to_gets_nothing() {
        assert_eq!(chosen(vec![kept("Z1", "example.org", elsewhere())], "a.example.org"), None);
        // The zone above it counts instead, if it is delegated.
        let below =
            vec![kept("Z1", "example.org", Led::Here), kept("Z2", "a.example.org", elsewhere())];
        assert_eq!(chosen(below, "x.a.example.org").as_deref(), Some("Z1"));
    }

    #[test]
    fn of_two_zones_of_one_name_it_is_the_one_that_is_led_to_or_none() {
        let pair =
            |one, other| vec![kept("Z1", "example.org", one), kept("Z2", "example.org", other)];
        let of = |one, other| chosen(pair(one, other), "a.example.org");
        assert_eq!(of(elsewhere(), Led::Here).as_deref(), Some("Z2"));
        assert_eq!(of(Led::Here, elsewhere()).as_deref(), Some("Z1"));
        assert_eq!(of(Led::Unknown, Led::Unknown), None);
        assert_eq!(of(elsewhere(), elsewhere()), None);
        let hosting = |one, other| Hosting { zones: pair(one, other), ..Hosting::default() };
        assert_eq!(hosting(elsewhere(), Led::Here).expected().len(), 1);
        assert_eq!(hosting(Led::Unknown, Led::Unknown).expected(), []);
    }

    #[test]
    fn what_a_zone_leads_to_other_servers_is_not_set_in_it() {
        let mut zone = kept("Z1", "example.org", Led::Here);
        zone.cuts.push(name("eu.example.org"));
        assert_eq!(chosen(vec![zone.clone()], "docs.eu.example.org"), None);
        assert_eq!(chosen(vec![zone], "docs.neu.example.org").as_deref(), Some("Z1"));
    }

    #[test]
    fn an_undelegated_zone_is_expected_all_the_same() {
        let zones = vec![kept("Z1", "example.org", elsewhere())];
        let hosting = Hosting { zones, ..Hosting::default() };
        assert_eq!(hosting.expected()[0].servers, [name("ns.z1.aws")]);
    }

    #[test]
    fn a_person_may_set_all_records() {
        let read = |text: &str| parse("galaxy.yaml", text, &Environment::default());
        assert!(!read("dns: auto\n").expect("auto").hosting.manual);
        assert!(read("dns: manual\n").expect("manual").hosting.manual);
        let text = read("dns: route53\n").expect_err("a word").to_text();
        assert!(text.contains("galaxy.yaml:1:6") && text.contains("`manual`"), "{text}");
    }
}
