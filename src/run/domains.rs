//! `spaceduck domains`: the state of each domain, and one table of all records.

use std::collections::BTreeMap;
use std::path::Path;

use galaxy_mail::facts::Looked;
use galaxy_mail::judge;
use galaxy_mail::name::Domain;
use galaxy_mail::records::{Domains as Wishes, TTL, Wanted, Zones};
use galaxy_mail::sheet;

use super::mail::{Begun, OPEN, WATCH, begin};
use super::pipe::Output;
use crate::cli::{Domains, Shared};
use crate::config::{self, Slot};
use crate::domains;
use crate::event::mail as told;
use crate::event::{Event, Events, Outcome};
use crate::failure::{Failure, Kind};
use crate::files::{Access, Draft, Target};
use crate::model::Front;
use crate::zones;

/// Shows the state of each domain, then the table; once, or until all is as it should be.
pub(super) async fn run(shared: &Shared, wish: &Domains, events: &Events) -> Result<u8, Failure> {
    let mut zone = zone_file(shared, wish.zone.as_deref())?;
    let mut begun = begin(shared, "domains", None, events).await?;
    let output = Output::new();
    let (mut told_before, mut sheet_before, mut first) = (Vec::new(), Vec::new(), true);
    loop {
        look(&mut begun).await?;
        let told = tell(&begun.config.domains);
        let sheet = sheet(&begun).await?;
        for (item, state) in told.iter().filter(|one| !told_before.contains(*one)).cloned() {
            events.emit(Event::Status { item, state });
        }
        for looked in sheet.iter().filter(|one| !sheet_before.contains(*one)) {
            events.emit(Event::DnsRecord(record(&begun, looked)));
        }
        let right = sheet.iter().all(|record| record.state == judge::State::Right);
        let done = right && begun.config.domains.seen.values().all(|one| one.since.is_some());
        if done || !wish.watch {
            let code = if done { 0 } else { OPEN };
            return finish(&begun, zone.take(), &sheet, events).map(|()| code);
        }
        if std::mem::take(&mut first) {
            let text = "Watching for changes. Press Ctrl-C to stop.";
            events.emit(Event::Note { text: text.into() });
        }
        (told_before, sheet_before) = (told, sheet);
        begun.home.world.clock.sleep(WATCH).await;
        if output.is_over(events).await {
            return Ok(OPEN);
        }
    }
}

/// The sheet alone, as `mail records` shows it.
pub(super) async fn records(
    mut begun: Begun,
    zone: Option<Zone>,
    events: &Events,
) -> Result<u8, Failure> {
    look(&mut begun).await?;
    let sheet = sheet(&begun).await?;
    for looked in &sheet {
        events.emit(Event::DnsRecord(record(&begun, looked)));
    }
    let right = sheet.iter().all(|record| record.state == judge::State::Right);
    finish(&begun, zone, &sheet, events)?;
    Ok(if right { 0 } else { OPEN })
}

/// Certificates, zones, and what is in them.
async fn look(begun: &mut Begun) -> Result<(), Failure> {
    let (world, region) = (&begun.home.world, &begun.home.region);
    begun.config.domains = domains::seen(world, &begun.config).await?;
    begun.config.hosting = zones::seen(world, &begun.config, region).await?;
    Ok(())
}

fn finish(
    begun: &Begun,
    zone: Option<Zone>,
    sheet: &[Looked],
    events: &Events,
) -> Result<(), Failure> {
    let mut next = Vec::new();
    if let Some((target, draft)) = zone {
        write_zone(draft, sheet)?;
        super::tell_written(events, &target);
    }
    let domains = &begun.config.domains;
    let hosting = &begun.config.hosting;
    next.extend(yours(begun, sheet));
    if hosting.slots.iter().any(Slot::is_ready) {
        next.push("`spaceduck install` creates the missing records in Route 53.".into());
    }
    next.extend(hosting.left_alone());
    let api = domains.seen.get(&Front::Api);
    if api.is_some_and(|served| !served.attached) {
        let text = "The record for the API appears here once its certificate is issued and its \
        domain attached.";
        next.push(text.into());
    }
    if domains.seen.keys().any(|front| waits_for_us(domains, *front)) {
        next.push("`spaceduck install --watch` continues as Amazon issues certificates.".into());
    }
    events.emit(Event::Finished { outcome: Outcome::Told, urls: vec![], next });
    Ok(())
}

/// What is left for the person to set, and how to read it; a sentence for each zone.
fn yours(begun: &Begun, sheet: &[Looked]) -> Vec<String> {
    let open = |one: &&Looked| {
        let wrong = matches!(one.state, judge::State::Missing | judge::State::Wrong(_));
        wrong && !begun.config.hosting.sets(&one.wanted)
    };
    let mut zones: BTreeMap<&Domain, usize> = BTreeMap::new();
    for one in sheet.iter().filter(open) {
        *zones.entry(&one.zone).or_default() += 1;
    }
    let one = |(zone, count): (&&Domain, &usize)| {
        let records =
            if *count == 1 { "One record is".into() } else { format!("{count} records are") };
        format!(
            "{records} missing (…) or wrong (✗) in {zone}: set them at its DNS provider, with \
             the names shown here (`@` is {zone} itself), then run `spaceduck domains` again. \
             `--zone FILE` writes a zone file to import."
        )
    };
    zones.iter().map(one).collect()
}

/// Whether an installation is what a domain waits for, now or after the record.
pub(super) fn waits_for_us(domains: &config::Domains, front: Front) -> bool {
    domains.seen.get(&front).is_some_and(|served| served.since.is_none())
}

/// Item and state of each domain.
fn tell(domains: &config::Domains) -> Vec<(String, String)> {
    let one = |(front, domain): (&Front, &Domain)| {
        (format!("{front} {domain}"), domains::standing(domains, *front))
    };
    domains.names.iter().map(one).collect()
}

/// Every wanted record of sites, API and mail, as far as its value is known, with its state.
async fn sheet(begun: &Begun) -> Result<Vec<Looked>, Failure> {
    let config = &begun.config;
    if config.domains.names.is_empty() && config.mail.domain.is_none() {
        return Err(Failure::new(Kind::Input, "no domain is set, so there are no records")
            .help("set one under `domains`, or `mail.domain`, in galaxy.yaml"));
    }
    let world = &begun.home.world;
    let mut sheet = Vec::new();
    if config.mail.domain.is_some() {
        sheet.extend(begun.desk().facts().await?.records);
    }
    let wishes = Wishes { mail: None, fronts: domains::wanted(world, config).await? };
    let wanted = |zones: &Zones| -> Result<Vec<Wanted>, Failure> {
        wishes.wanted(zones).map_err(|error| {
            Failure::new(Kind::Input, error.to_string()).help("shorten the names under `domains`")
        })
    };
    let first = wanted(&Zones::default())?;
    let expected = config.hosting.expected();
    let mut looked = world.dns.look(&first, &expected).await?;
    // Where a domain turns out to be a zone of its own, it needs another type of record.
    let zones = Zones(looked.iter().map(|one| one.zone.clone()).collect());
    let second = wanted(&zones)?;
    if second != first {
        looked = world.dns.look(&second, &expected).await?;
    }
    sheet.extend(looked);
    for looked in &mut sheet {
        // A resolver elsewhere may get other addresses of the same target.
        let elsewhere = matches!(&looked.state, judge::State::Wrong(judge::Mistake::Elsewhere(_)));
        if elsewhere && config.hosting.has(&looked.wanted) {
            looked.state = judge::State::Right;
        }
    }
    sheet.sort_by(|one, other| one.wanted.cmp(&other.wanted));
    Ok(sheet)
}

/// The file for the records, and its draft: one that can't be written is refused before any look.
pub(super) type Zone = (Target, Draft);

/// Begins the file for the records, where one is wanted.
pub(super) fn zone_file(shared: &Shared, path: Option<&Path>) -> Result<Option<Zone>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let target = super::target(shared, path)?;
    let draft = target.draft(Access::Shared)?;
    Ok(Some((target, draft)))
}

fn write_zone(mut draft: Draft, sheet: &[Looked]) -> Result<(), Failure> {
    let zones = Zones(sheet.iter().map(|record| record.zone.clone()).collect());
    let wanted: Vec<_> = sheet.iter().map(|record| record.wanted.clone()).collect();
    draft.add(&sheet::zone_file(&wanted, &zones))?;
    draft.keep()
}

fn record(begun: &Begun, looked: &Looked) -> told::Record {
    let wanted = &looked.wanted;
    let detail = match &looked.state {
        judge::State::Wrong(_) | judge::State::Unseen(_) => {
            Some(looked.state.sentence(wanted, looked.zone.as_str()))
        }
        judge::State::Right | judge::State::Missing => None,
    };
    let state = match &looked.state {
        judge::State::Right => "right",
        judge::State::Missing => "missing",
        judge::State::Wrong(_) => "wrong",
        judge::State::Unseen(_) => "unseen",
    };
    told::Record {
        name: wanted.name.to_string(),
        zone: looked.zone.to_string(),
        host: wanted.name.inside(&looked.zone),
        kind: wanted.data.kind().into(),
        value: wanted.data.value(),
        ttl: TTL,
        purpose: wanted.purpose.words().into(),
        by: if begun.config.hosting.sets(wanted) { "spaceduck" } else { "you" }.into(),
        state: state.into(),
        detail,
        known: looked.known.clone(),
    }
}
