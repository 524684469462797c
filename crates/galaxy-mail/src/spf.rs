//! Reads SPF records and counts the look-ups that they cost a receiver, by RFC 7208.
//!
//! No I/O: whoever walks asks [`Walk::next`] for a name and feeds the texts that stand there. So
//! the look-ups that find nothing, which section 4.6.4 limits too, are not counted.

use std::collections::BTreeSet;

use crate::name::Domain;

/// RFC 7208, section 4.6.4: more terms that cause look-ups are a permanent error.
pub const MOST_LOOKUPS: usize = 10;

/// Why receivers will not go by a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Section 4.5: more than one record.
    #[error("{at} has {count} SPF records; receivers then go by none of them")]
    Several {
        /// Where.
        at: Domain,
        /// How many.
        count: usize,
    },
    /// Section 4.6.4: too many look-ups.
    #[error("the SPF record of {at} costs more than {MOST_LOOKUPS} look-ups")]
    TooMany {
        /// Where the walk began.
        at: Domain,
    },
    /// Section 4.6: a term that is none.
    #[error("the SPF record of {at} has a term that receivers don't know: `{term}`")]
    Broken {
        /// Where.
        at: Domain,
        /// The term.
        term: String,
    },
    /// Section 5.2: an `include` of a domain without a record; section 6.1: likewise `redirect`.
    #[error("the SPF record includes {at}, which has none")]
    Nothing {
        /// The domain that was included.
        at: Domain,
    },
}

/// What the walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The record at the start.
    pub record: Option<String>,
    /// How many terms cause look-ups, at worst.
    pub lookups: usize,
    /// Every domain that is included, directly or not.
    pub includes: BTreeSet<Domain>,
    /// Why it does not count.
    pub problem: Option<Problem>,
}

/// A walk through a record and all that it includes.
#[derive(Debug)]
pub struct Walk {
    start: Domain,
    open: Vec<Domain>,
    report: Report,
}

/// Section 4.5: what begins with exactly this version.
#[must_use]
pub fn is_record(text: &str) -> bool {
    let rest = text.get(..6).filter(|start| start.eq_ignore_ascii_case("v=spf1"));
    rest.is_some() && text[6..].chars().next().is_none_or(|next| next == ' ')
}

impl Walk {
    /// Begins at a domain.
    #[must_use]
    pub fn new(start: &Domain) -> Self {
        let report = Report { record: None, lookups: 0, includes: BTreeSet::new(), problem: None };
        Self { start: start.clone(), open: vec![start.clone()], report }
    }

    /// The name whose texts are needed next; nothing when the walk is over.
    #[must_use]
    pub fn next(&self) -> Option<&Domain> {
        self.open.last().filter(|_| self.report.problem.is_none())
    }

    /// Takes the texts of the name that [`Walk::next`] gave.
    pub fn feed(&mut self, texts: &[String]) {
        let Some(at) = self.open.pop() else { return };
        let records: Vec<&String> = texts.iter().filter(|text| is_record(text)).collect();
        match records[..] {
            [] if at == self.start && self.report.record.is_none() => {}
            [] => self.report.problem = Some(Problem::Nothing { at }),
            [record] => {
                if self.report.record.is_none() {
                    self.report.record = Some(record.clone());
                }
                self.terms(&at, record);
            }
            _ => self.report.problem = Some(Problem::Several { at, count: records.len() }),
        }
    }

    /// What was found.
    #[must_use]
    pub fn report(self) -> Report {
        self.report
    }

    fn terms(&mut self, at: &Domain, record: &str) {
        let terms: Vec<String> =
            record.split(' ').skip(1).filter(|t| !t.is_empty()).map(str::to_lowercase).collect();
        let bare = |term: &str| term.trim_start_matches(['+', '-', '~', '?']).to_owned();
        // Section 5.1: what stands behind `all` is never looked at, and with `all` no redirect.
        let end = terms.iter().position(|term| bare(term) == "all");
        let mut next = Vec::new();
        for term in &terms[..end.unwrap_or(terms.len())] {
            let term = bare(term);
            let cut = term.find([':', '/', '=']).unwrap_or(term.len());
            let (word, rest) = term.split_at(cut);
            let target = rest.trim_start_matches([':', '=']);
            match word {
                "include" if rest.starts_with(':') => next.push(target.to_owned()),
                "redirect" if rest.starts_with('=') && end.is_none() => {
                    next.push(target.to_owned());
                }
                "a" | "mx" | "ptr" | "exists" => self.report.lookups += 1,
                "ip4" | "ip6" => {}
                // Section 6: modifiers that nobody knows are ignored.
                _ if rest.starts_with('=') => {}
                _ => {
                    self.report.problem = Some(Problem::Broken { at: at.clone(), term });
                    return;
                }
            }
        }
        self.report.lookups += next.len();
        // A macro depends on the mail; nobody can follow it beforehand.
        let known = next.iter().filter_map(|target| Domain::parse(target).ok());
        for target in known.collect::<Vec<_>>().into_iter().rev() {
            self.report.includes.insert(target.clone());
            self.open.push(target);
        }
        if self.report.lookups > MOST_LOOKUPS {
            self.report.problem = Some(Problem::TooMany { at: self.start.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, Report, Walk, is_record};
    use crate::name::Domain;

    fn name(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    /// Walks through zones of `name text` lines, from the first one on.
    fn walk(zones: &[(&str, &str)]) -> Report {
        let mut walk = Walk::new(&name(zones[0].0));
        while let Some(next) = walk.next() {
            let here = zones.iter().filter(|(at, _)| name(at) == *next);
            let texts: Vec<String> = here.map(|(_, text)| (*text).to_owned()).collect();
            walk.feed(&texts);
        }
        walk.report()
    }

    #[test]
    fn section_4_5_selects_by_the_exact_version() {
        assert!(is_record("v=spf1"));
        assert!(is_record("V=SPF1 -all"));
        for other in ["v=spf10 -all", "spf1 -all", "v=spf", "", "verification=v=spf1"] {
            assert!(!is_record(other), "{other}");
        }
        let report = walk(&[("a.example", "google-site-verification=1"), ("a.example", "v=spf1")]);
        assert_eq!((report.record.as_deref(), report.problem), (Some("v=spf1"), None));
    }

    #[test]
    fn section_4_5_refuses_a_second_record() {
        let report = walk(&[("a.example", "v=spf1 -all"), ("a.example", "v=spf1 ~all")]);
        assert_eq!(report.problem, Some(Problem::Several { at: name("a.example"), count: 2 }));
    }

    #[test]
    fn section_4_6_4_counts_include_a_mx_ptr_exists_and_redirect() {
        let report = walk(&[
            (
                "a.example",
                "v=spf1 a mx:b.example ptr exists:%{i}.c.example ip4:192.0.2.0/24 \
                           include:i.example redirect=r.example",
            ),
            ("i.example", "v=spf1 ip6:2001:db8::/32 a/24 ?all"),
            ("r.example", "v=spf1 -all"),
        ]);
        // Four, then include and redirect, then the `a` of the included one.
        assert_eq!((report.lookups, report.problem), (7, None));
        assert_eq!(report.includes, [name("i.example"), name("r.example")].into());
    }

    #[test]
    fn section_4_6_4_allows_ten_and_no_more() {
        let ten = format!("v=spf1{} -all", " a".repeat(10));
        assert_eq!(walk(&[("a.example", &ten)]).problem, None);
        let eleven = format!("v=spf1{} -all", " a".repeat(11));
        let too_many = Some(Problem::TooMany { at: name("a.example") });
        assert_eq!(walk(&[("a.example", &eleven)]).problem, too_many);
        // Someone who includes himself costs everything there is.
        assert_eq!(walk(&[("a.example", "v=spf1 include:a.example -all")]).problem, too_many);
    }

    #[test]
    fn section_5_1_ends_at_all_and_then_ignores_redirect() {
        let report = walk(&[("a.example", "v=spf1 a -all mx redirect=b.example")]);
        assert_eq!((report.lookups, report.problem), (1, None));
        let before = walk(&[("a.example", "v=spf1 redirect=b.example a -all")]);
        assert_eq!((before.lookups, before.problem), (1, None));
    }

    #[test]
    fn section_5_2_refuses_to_include_nothing() {
        let report = walk(&[("a.example", "v=spf1 include:b.example -all")]);
        assert_eq!(report.problem, Some(Problem::Nothing { at: name("b.example") }));
    }

    #[test]
    fn section_4_6_refuses_terms_it_does_not_know_and_6_ignores_modifiers() {
        let broken = walk(&[("a.example", "v=spf1 amazonses.com ~all")]);
        let term = "amazonses.com".into();
        assert_eq!(broken.problem, Some(Problem::Broken { at: name("a.example"), term }));
        assert_eq!(walk(&[("a.example", "v=spf1 exp=e.example x=y -all")]).problem, None);
    }
}
