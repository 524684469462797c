//! TXT records: SPF and DMARC.

use super::{Mistake, State, failed, text_of};
use crate::dmarc::{self, Discovery};
use crate::dns::{Answer, Looked, Trouble};
use crate::name::Domain;
use crate::near::{self, Near, Slip};
use crate::records::Wanted;
use crate::spf;

pub(super) fn spf(wanted: &Wanted, text: &str, answer: &Answer, looked: &Looked) -> State {
    let texts = || answer.found.iter().filter_map(text_of);
    let records: Vec<&String> = texts().filter(|text| spf::is_record(text)).collect();
    let report = match (&records[..], &looked.spf) {
        ([], _) => return no_spf(wanted, texts(), looked),
        ([is], _) if is.as_str() == text => match &looked.spf {
            Some(Ok(report)) => report,
            // The very record that is wanted; what Amazon's own name says is Amazon's.
            _ => return State::Right,
        },
        ([_], Some(Ok(report))) => report,
        ([_], Some(Err(trouble))) => return State::Unseen(trouble.clone()),
        ([is], None) => return State::Wrong(Mistake::Different(vec![(*is).clone()])),
        _ => return State::Wrong(Mistake::SecondSpf(records.len())),
    };
    let amazon = report.includes.iter().any(|at| at.as_str() == "amazonses.com");
    match (&report.problem, report.macros.first()) {
        (Some(problem), _) => State::Wrong(Mistake::Spf(problem.clone())),
        // Others may be allowed to send as well.
        _ if amazon => State::Right,
        (None, Some(term)) => {
            State::Unseen(Trouble::Macro { at: wanted.name.clone(), term: term.clone() })
        }
        (None, None) => State::Wrong(Mistake::Different(records.into_iter().cloned().collect())),
    }
}

fn no_spf<'a>(
    wanted: &Wanted,
    mut texts: impl Iterator<Item = &'a String>,
    looked: &Looked,
) -> State {
    let near = |at: &Domain, says: &String, slip| {
        State::Wrong(Mistake::Near(Near { at: at.clone(), says: says.clone(), slip }))
    };
    if let Some(state) =
        texts.find_map(|says| near::spf(says).map(|slip| near(&wanted.name, says, slip)))
    {
        return state;
    }
    let elsewhere = looked.beside.iter().find_map(|(at, found)| {
        let says = text_of(found)?;
        let ours =
            spf::is_record(says) && says.to_ascii_lowercase().contains("include:amazonses.com");
        ours.then(|| near(at, says, Slip::Place))
    });
    elsewhere.unwrap_or(State::Missing)
}

pub(super) fn dmarc(wanted: &Wanted, answer: &Answer, looked: &Looked) -> State {
    let here: Vec<String> = answer.found.iter().filter_map(text_of).cloned().collect();
    let domain = wanted.name.parent().unwrap_or_else(|| wanted.name.clone());
    let above = match &looked.organisation {
        Ok(above) => above.as_slice(),
        // Only where the domain has none of its own does the one above it count.
        Err(trouble) if !here.iter().any(|text| dmarc::is_record(text)) => {
            return failed(trouble, None);
        }
        Err(_) => &[],
    };
    match dmarc::discover(&domain, &here, above) {
        Discovery::Policy(..) => State::Right,
        Discovery::Nothing => no_dmarc(wanted, &here, looked),
        Discovery::Several(at) => State::Wrong(Mistake::SecondDmarc(at)),
        Discovery::Broken(at, wrong) => State::Wrong(Mistake::Dmarc(at, wrong)),
    }
}

fn no_dmarc(wanted: &Wanted, here: &[String], looked: &Looked) -> State {
    let near = |at: &Domain, says: &String, slip| {
        State::Wrong(Mistake::Near(Near { at: at.clone(), says: says.clone(), slip }))
    };
    let own = here.iter().find_map(|says| Some(near(&wanted.name, says, near::dmarc(says)?)));
    let elsewhere = || {
        looked.beside.iter().find_map(|(at, found)| {
            let says = text_of(found)?;
            dmarc::is_record(says).then(|| near(at, says, Slip::Place))
        })
    };
    own.or_else(elsewhere).unwrap_or(State::Missing)
}
