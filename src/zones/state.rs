//! The state of a wanted record in its zone: there, missing, old, or not ours. Pure.

use std::collections::BTreeSet;

use galaxy_mail::dmarc::Policy;
use galaxy_mail::name::Domain;
use galaxy_mail::records::{Data, Purpose, Wanted};
use galaxy_mail::spf;

use super::wishes::Wish;
use crate::config::{Slot, SlotState};
use crate::model::{HostedZone, Part, RecordSet, Says};

/// Looks at a wish in its zone; `marks` is what this galaxy has made there.
pub(super) fn slot(
    wish: &Wish,
    zone: &HostedZone,
    sets: &[RecordSet],
    marks: &BTreeSet<String>,
) -> Slot {
    let mut wish = wish.clone();
    let mut kinds = wish.kinds();
    // Where there is a CNAME already, that one has to be right.
    if let Some(wanted) = &mut wish.wanted
        && let Data::Alias(target) = &wanted.data
        && sets.iter().any(|set| set.name == wanted.name && set.kind == "CNAME")
    {
        wanted.data = Data::Cname(target.clone());
        kinds = vec!["CNAME"];
    }
    let here = |set: &&RecordSet| wish.wanted.as_ref().is_some_and(|w| w.name == set.name);
    let there: Vec<&RecordSet> = sets.iter().filter(here).collect();
    let ours = |set: &RecordSet| marks.contains(&set.mark());
    let state = match &wish.wanted {
        None => later(&wish, sets, &ours),
        Some(wanted) => state(&wish, wanted, &there, &ours),
    };
    let is_kind = |set: &&RecordSet| kinds.contains(&set.kind.as_str());
    let made = there.iter().copied().filter(is_kind).any(ours);
    Slot {
        part: wish.part,
        purpose: wish.purpose,
        domain: wish.domain,
        name: wish.wanted.map(|wanted| wanted.name),
        kinds,
        zone: zone.clone(),
        state,
        ours: made,
    }
}

fn words(sets: &[&RecordSet]) -> String {
    let one = |set: &&RecordSet| format!("{} {}", set.kind, set.says);
    sets.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// For a value that is not known yet: the name of an address is, and so whether it is taken.
fn later(wish: &Wish, sets: &[RecordSet], ours: &dyn Fn(&RecordSet) -> bool) -> SlotState {
    let kinds = wish.kinds();
    let clashes = |set: &&RecordSet| {
        let kind = set.kind == "CNAME" || kinds.contains(&set.kind.as_str());
        wish.part == Part::Addresses && set.name == wish.domain && kind && !ours(set)
    };
    let there: Vec<&RecordSet> = sets.iter().filter(clashes).collect();
    if there.is_empty() { SlotState::Later } else { SlotState::Taken(words(&there), None) }
}

fn state(
    wish: &Wish,
    wanted: &Wanted,
    there: &[&RecordSet],
    ours: &dyn Fn(&RecordSet) -> bool,
) -> SlotState {
    let taken = |sets: &[&RecordSet]| SlotState::Taken(words(sets), Some(wanted.clone()));
    let cname = there.iter().copied().find(|set| set.kind == "CNAME");
    let Data::Cname(target) = &wanted.data else {
        return match cname {
            // A service for reports is led to like this.
            Some(_) if wanted.purpose == Purpose::Dmarc => SlotState::There,
            Some(set) => taken(&[set]),
            None => beside(wish, wanted, there, ours, &taken),
        };
    };
    match (cname, there) {
        (Some(set), _) if leads_to(set, target) => SlotState::There,
        (Some(set), _) if ours(set) => SlotState::Stale(vec![set.clone()], wish.sets()),
        (Some(set), _) => taken(&[set]),
        (None, []) => SlotState::Missing(wish.sets()),
        // There can be nothing beside a CNAME.
        (None, others) => taken(others),
    }
}

/// For records that other types may stand beside.
fn beside(
    wish: &Wish,
    wanted: &Wanted,
    there: &[&RecordSet],
    ours: &dyn Fn(&RecordSet) -> bool,
    taken: &dyn Fn(&[&RecordSet]) -> SlotState,
) -> SlotState {
    let (mut away, mut new) = (Vec::new(), Vec::new());
    for set in wish.sets() {
        match there.iter().copied().find(|is| is.kind == set.kind) {
            None => new.push(set),
            // What is ours is to say just this.
            Some(is) if ours(is) && is.mark() != set.mark() => {
                away.push(is.clone());
                new.push(set);
            }
            Some(is) if is_right(is, &set, wanted) => {}
            Some(is) => return taken(&[is]),
        }
    }
    match (away.is_empty(), new.is_empty()) {
        (_, true) => SlotState::There,
        (true, false) => SlotState::Missing(new),
        (false, false) => SlotState::Stale(away, new),
    }
}

/// Whether what is there does what is wanted, by whomever it was set.
fn is_right(is: &RecordSet, wanted: &RecordSet, record: &Wanted) -> bool {
    match (&is.says, &wanted.says) {
        (Says::Alias { target: is, .. }, Says::Alias { target, .. }) => is == target,
        (Says::Values { values, .. }, _) => match &record.data {
            Data::Txt(_) if record.purpose == Purpose::Spf => {
                let records: Vec<String> =
                    values.iter().map(|value| text(value)).filter(|t| spf::is_record(t)).collect();
                let ours = |term: &str| term.trim_start_matches('+') == "include:amazonses.com";
                matches!(&records[..], [one] if one.split(' ').any(ours))
            }
            Data::Txt(_) => values.iter().any(|value| Policy::parse(&text(value)).is_ok()),
            Data::Mx(_, host) => {
                let to = |value: &String| {
                    value.split_whitespace().nth(1).and_then(|to| Domain::parse(to).ok())
                };
                values.len() == 1 && values.first().and_then(to).as_ref() == Some(host)
            }
            Data::Cname(_) | Data::Alias(_) => false,
        },
        _ => false,
    }
}

fn leads_to(set: &RecordSet, target: &Domain) -> bool {
    let Says::Values { values, .. } = &set.says else { return false };
    let is = values.first().and_then(|value| Domain::parse(value).ok());
    is.as_ref() == Some(target)
}

/// A text as it is requested: all strings of a record in one.
fn text(value: &str) -> String {
    let (mut text, mut inside, mut escaped) = (String::new(), false, false);
    for c in value.chars() {
        match c {
            _ if escaped => {
                text.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => inside = !inside,
            _ if inside => text.push(c),
            _ => {}
        }
    }
    // Without quotes it is taken literally.
    if value.contains('"') { text } else { value.to_owned() }
}

#[cfg(test)]
mod tests;
