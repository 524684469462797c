//! What was seen of a wanted record → right, missing, which of the usual mistakes it is, or that it
//! could not be looked up.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::dmarc;
use crate::dns::{Answer, Found, Looked, Signed, Trouble, View, Zone, list};
use crate::name::Domain;
use crate::near::{Near, Slip};
use crate::records::{Data, Purpose, Wanted};
use crate::spf;

mod texts;
mod words;

/// How a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Right,
    /// It is not there, and nothing else is.
    Missing,
    /// It can't be right like this.
    Wrong(Mistake),
    /// It could not be looked up or can't be decided, so that nothing is claimed.
    Unseen(Trouble),
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Something else is there.
    Different(Vec<String>),
    /// The name was typed whole where the panel adds the zone to it.
    NameTwice(Domain),
    /// The value was typed without a dot at its end where the panel then adds the zone to it.
    ValueTwice(Domain),
    /// The record is set in a zone without a delegation.
    WrongZone {
        /// The zone.
        zone: Domain,
        /// The servers that the parent zone names.
        is: Vec<Domain>,
        /// The servers of the zone that the record is set in.
        should: Vec<Domain>,
    },
    /// A zone below another one, to which that other one does not lead.
    NotLed {
        /// The zone that the record is set in.
        zone: Domain,
        /// The zone that answers for its names.
        parent: Domain,
        /// The servers that the record is set at.
        should: Vec<Domain>,
    },
    /// The parent zone leads to no servers.
    Delegation(Trouble),
    /// The servers of the zone don't agree: who says what.
    NotEverywhere(Vec<(String, String)>),
    /// A chain of CNAMEs that leads nowhere.
    Chain(Trouble),
    /// The signatures of the zone don't hold, so that nothing in it is believed.
    Signatures(Signed),
    /// It is nearly right.
    Near(Near),
    /// More than one SPF record.
    SecondSpf(usize),
    /// An SPF record that receivers will not go by.
    Spf(spf::Problem),
    /// More than one DMARC record.
    SecondDmarc(Domain),
    /// A DMARC record that can't be read.
    Dmarc(Domain, dmarc::Wrong),
    /// More mail servers than the one.
    ExtraMx(Vec<String>),
    /// Amazon may not issue certificates.
    Caa {
        /// The name with that record.
        at: Domain,
        /// Who may.
        allows: Vec<String>,
    },
    /// A critical CAA rule that no issuer may pass over.
    CriticalCaa {
        /// Where it is.
        at: Domain,
        /// Its tag, as the server sent it.
        tag: String,
    },
    /// There is a CNAME at the top of the zone, or should be one.
    TopCname,
    /// The record is hidden behind a proxy.
    Proxied(Vec<IpAddr>),
    /// A wildcard answers for the name.
    Wildcard(Vec<String>),
    /// The addresses are none that the target has right now, as seen from here.
    Elsewhere(Vec<IpAddr>),
}

/// Who may issue for Amazon: the names that AWS Certificate Manager looks for.
/// Source: "Configure a CAA record", AWS Certificate Manager User Guide.
const AMAZON: [&str; 4] = ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"];

/// A zone as its provider describes it: the servers that answer for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    /// The zone.
    pub zone: Domain,
    /// Its servers.
    pub servers: Vec<Domain>,
}

/// Judges a record. `expected` is the zone that it is set in, where that is known.
#[must_use]
pub fn judge(wanted: &Wanted, looked: &Looked, expected: Option<&Hosted>) -> State {
    let answer = match &looked.answer {
        Ok(answer) => answer,
        Err(trouble) => return failed(trouble, expected),
    };
    if let Some(mistake) = wrong_zone(looked.zone.as_ref(), expected) {
        return State::Wrong(mistake);
    }
    if let Some(differ) = answer.differences(|view| relevant(wanted, view)) {
        return State::Wrong(Mistake::NotEverywhere(differ));
    }
    let state = match &wanted.data {
        Data::Cname(target) => cname(wanted, target, answer, looked),
        Data::Alias(_) => alias(answer, looked),
        Data::Mx(_, host) => mx(host, answer),
        Data::Txt(_) if wanted.purpose == Purpose::Dmarc => texts::dmarc(wanted, answer, looked),
        Data::Txt(text) => texts::spf(wanted, text, answer, looked),
    };
    let twice = looked.twice.as_ref().and(looked.zone.as_ref());
    let state = match (&state, twice) {
        (State::Missing, Some(zone)) => wanted
            .name
            .below_zone(&zone.name)
            .map_or(State::Missing, |name| State::Wrong(Mistake::NameTwice(name))),
        _ => state,
    };
    around(state, looked)
}

/// What a failed look-up allows to say. Only the parent's own words about a delegation lead to
/// advice.
fn failed(trouble: &Trouble, expected: Option<&Hosted>) -> State {
    let should = || expected.map(|expected| expected.servers.clone()).unwrap_or_default();
    match trouble {
        // An old zone's servers, which no longer know it, are the same mistake as a wrong zone.
        Trouble::Lame { zone, servers, .. }
            if expected.is_some_and(|expected| {
                expected.zone == *zone && !servers.iter().any(|is| expected.servers.contains(is))
            }) =>
        {
            let (zone, is, should) = (zone.clone(), servers.clone(), should());
            State::Wrong(Mistake::WrongZone { zone, is, should })
        }
        Trouble::Undelegated { name, .. }
            if expected.is_some_and(|expected| expected.zone.is_within(name)) =>
        {
            let (zone, should) = (name.clone(), should());
            State::Wrong(Mistake::WrongZone { zone, is: Vec::new(), should })
        }
        Trouble::Undelegated { .. } => State::Wrong(Mistake::Delegation(trouble.clone())),
        Trouble::Loop(_) | Trouble::LongChain(_) => State::Wrong(Mistake::Chain(trouble.clone())),
        _ => State::Unseen(trouble.clone()),
    }
}

/// What makes a record that is right, or could be set, of no use.
fn around(state: State, looked: &Looked) -> State {
    if !matches!(state, State::Right | State::Missing) {
        return state;
    }
    if matches!(
        looked.signed,
        Signed::Broken { .. } | Signed::NoKey { .. } | Signed::Expired { .. }
    ) {
        return State::Wrong(Mistake::Signatures(looked.signed.clone()));
    }
    // Without Amazon's right to issue, the record that proves the domain is of no use.
    match &looked.caa {
        Ok(Some((at, rules))) => forbids(at, rules).map_or(state, State::Wrong),
        Err(trouble) if state == State::Right => State::Unseen(trouble.clone()),
        _ => state,
    }
}

/// What of a server's answer decides about the record. Addresses of an alias may differ.
fn relevant(wanted: &Wanted, view: &View) -> Vec<String> {
    let texts = || view.found.iter().filter_map(text_of);
    let cname = view.cname.as_ref().map(|target| format!("CNAME {target}"));
    let found: Vec<String> = match (&wanted.data, wanted.purpose) {
        (Data::Alias(_), _) => return cname.into_iter().collect(),
        (Data::Txt(_), Purpose::Dmarc) => {
            texts().filter(|text| dmarc::is_record(text)).cloned().collect()
        }
        (Data::Txt(_), _) => texts().filter(|text| spf::is_record(text)).cloned().collect(),
        _ => view.found.iter().map(ToString::to_string).collect(),
    };
    found.into_iter().chain(cname).collect()
}

fn wrong_zone(zone: Option<&Zone>, expected: Option<&Hosted>) -> Option<Mistake> {
    let (zone, expected) = (zone?, expected?);
    let is: BTreeSet<&Domain> = zone.servers.iter().collect();
    let should: BTreeSet<&Domain> = expected.servers.iter().collect();
    if !is.is_disjoint(&should) {
        return None;
    }
    let should = expected.servers.clone();
    if zone.name == expected.zone {
        let (zone, is) = (zone.name.clone(), zone.servers.clone());
        return Some(Mistake::WrongZone { zone, is, should });
    }
    // Where a zone further down answers, it is that one that counts.
    let below = expected.zone.is_within(&zone.name);
    let (zone, parent) = (expected.zone.clone(), zone.name.clone());
    below.then_some(Mistake::NotLed { zone, parent, should })
}

fn cname(wanted: &Wanted, target: &Domain, answer: &Answer, looked: &Looked) -> State {
    let top = looked.zone.as_ref().is_some_and(|zone| zone.name == wanted.name);
    let with_zone = looked.zone.as_ref().and_then(|zone| target.below_zone(&zone.name).ok());
    match &answer.cname {
        _ if top => State::Wrong(Mistake::TopCname),
        Some(is) if is == target => State::Right,
        Some(_) if looked.leads => State::Right,
        Some(is) if Some(is) == with_zone.as_ref() => State::Wrong(Mistake::ValueTwice(is.clone())),
        Some(is) if looked.wildcard => State::Wrong(Mistake::Wildcard(vec![is.to_string()])),
        Some(is) => State::Wrong(Mistake::Different(vec![is.to_string()])),
        None => no_cname(wanted, target, answer, looked),
    }
}

/// Where there is no CNAME, or none that can be read.
fn no_cname(wanted: &Wanted, target: &Domain, answer: &Answer, looked: &Looked) -> State {
    let near = |says: &str, slip| {
        let (at, says) = (wanted.name.clone(), says.to_owned());
        State::Wrong(Mistake::Near(Near { at, says, slip }))
    };
    if let Some(Found::Odd(text)) = answer.found.first() {
        return near(text, Slip::NotAName);
    }
    let meant = |text: &&String| text.to_ascii_lowercase().contains(target.as_str());
    if let Some(text) = looked.beside.iter().filter_map(|(_, found)| text_of(found)).find(meant) {
        return near(text, Slip::Type);
    }
    let addresses = match &looked.addresses {
        Err(trouble) => return failed(trouble, None),
        Ok(addresses) => addresses,
    };
    if addresses.is_empty() {
        return State::Missing;
    }
    if addresses.iter().all(is_proxy) {
        return State::Wrong(Mistake::Proxied(addresses.clone()));
    }
    let shown = addresses.iter().map(ToString::to_string).collect();
    State::Wrong(if looked.wildcard { Mistake::Wildcard(shown) } else { Mistake::Different(shown) })
}

fn alias(answer: &Answer, looked: &Looked) -> State {
    if answer.cname.is_some() {
        return State::Wrong(Mistake::TopCname);
    }
    let here = match &looked.addresses {
        Err(trouble) => return failed(trouble, None),
        Ok(here) if here.is_empty() => return State::Missing,
        Ok(here) => here,
    };
    let target = match &looked.target {
        // Without the target's addresses there is nothing to compare with.
        Err(trouble) => return State::Unseen(trouble.clone()),
        Ok(target) => target,
    };
    if here.iter().any(|address| target.contains(address)) {
        return State::Right;
    }
    if here.iter().all(is_proxy) {
        return State::Wrong(Mistake::Proxied(here.clone()));
    }
    State::Wrong(Mistake::Elsewhere(here.clone()))
}

/// SES wants this one mail server and no other at the name that bounces go to.
fn mx(host: &Domain, answer: &Answer) -> State {
    let shown = || answer.found.iter().map(ToString::to_string).collect::<Vec<_>>();
    let same = |is: &str| is.trim_end_matches('.') == host.as_str();
    let right = |found: &&Found| matches!(found, Found::Mx(_, is) if same(is));
    match (answer.found.iter().filter(right).count(), answer.found.len()) {
        (1, 1) => State::Right,
        (0, 0) => State::Missing,
        (0, _) => State::Wrong(Mistake::Different(shown())),
        _ => State::Wrong(Mistake::ExtraMx(shown())),
    }
}

fn text_of(found: &Found) -> Option<&String> {
    if let Found::Txt(text) = found { Some(text) } else { None }
}

/// Why Amazon may not issue certificates by RFC 8659, where it may not.
fn forbids(at: &Domain, rules: &[Found]) -> Option<Mistake> {
    let mut issuers = Vec::new();
    let mut limited = false;
    for rule in rules {
        let Found::Caa { critical, tag, value } = rule else { continue };
        match tag.as_str() {
            "issue" => {
                limited = true;
                // The part after the semicolon is for the issuer.
                let issuer = value.split(';').next().unwrap_or_default().trim();
                issuers.push(issuer.to_ascii_lowercase());
            }
            "issuewild" | "iodef" | "issuemail" | "issuevmc" | "contactemail" | "contactphone" => {}
            // Section 4.1: an issuer that does not understand a critical rule must not issue.
            _ if *critical => {
                return Some(Mistake::CriticalCaa { at: at.clone(), tag: tag.clone() });
            }
            _ => {}
        }
    }
    let amazon = issuers.iter().any(|issuer| AMAZON.contains(&issuer.as_str()));
    issuers.retain(|issuer| !issuer.is_empty());
    (limited && !amazon).then(|| Mistake::Caa { at: at.clone(), allows: issuers })
}

/// Cloudflare's addresses, which it answers with for whatever it proxies.
/// Source: <https://www.cloudflare.com/ips/>.
const PROXY_V4: [([u8; 4], u8); 15] = [
    ([173, 245, 48, 0], 20),
    ([103, 21, 244, 0], 22),
    ([103, 22, 200, 0], 22),
    ([103, 31, 4, 0], 22),
    ([141, 101, 64, 0], 18),
    ([108, 162, 192, 0], 18),
    ([190, 93, 240, 0], 20),
    ([188, 114, 96, 0], 20),
    ([197, 234, 240, 0], 22),
    ([198, 41, 128, 0], 17),
    ([162, 158, 0, 0], 15),
    ([104, 16, 0, 0], 13),
    ([104, 24, 0, 0], 14),
    ([172, 64, 0, 0], 13),
    ([131, 0, 72, 0], 22),
];
const PROXY_V6: [(u32, u8); 7] = [
    (0x2400_cb00, 32),
    (0x2606_4700, 32),
    (0x2803_f800, 32),
    (0x2405_b500, 32),
    (0x2405_8100, 32),
    (0x2a06_98c0, 29),
    (0x2c0f_f248, 32),
];

fn is_proxy(address: &IpAddr) -> bool {
    let within = |is: u32, net: u32, bits: u8| (is ^ net) >> (32 - u32::from(bits)) == 0;
    match address {
        IpAddr::V4(v4) => {
            PROXY_V4.iter().any(|(net, bits)| within(v4.to_bits(), u32::from_be_bytes(*net), *bits))
        }
        IpAddr::V6(v6) => {
            let start = u32::try_from(v6.to_bits() >> 96).unwrap_or_default();
            PROXY_V6.iter().any(|(net, bits)| within(start, *net, *bits))
        }
    }
}

#[cfg(test)]
mod tests;
