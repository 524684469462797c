//! Reads SPF records and counts the look-ups that they cost a receiver, by RFC 7208.
//!
//! No I/O: the caller asks [`Walk::next`] what to look up and feeds what is there.

use std::collections::BTreeSet;

use crate::name::Domain;

mod grammar;

use grammar::{Mechanism, Target};

/// RFC 7208, section 4.6.4: more terms that cause look-ups are a permanent error.
pub const MOST_LOOKUPS: usize = 10;
/// The same section: more look-ups that find nothing are a permanent error.
pub const MOST_VOID: usize = 2;

/// Why receivers will not go by a record: a permanent error.
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
    #[error(
        "the SPF record of {at} costs more than {MOST_LOOKUPS} look-ups, a permanent error \
         (permerror)"
    )]
    TooMany {
        /// Where the walk began.
        at: Domain,
    },
    /// Section 4.6.4: too many look-ups that find nothing.
    #[error(
        "the SPF record of {at} has more than {MOST_VOID} terms that find nothing, a permanent \
         error (permerror): {}", terms.join(", ")
    )]
    TooManyVoid {
        /// Where the walk began.
        at: Domain,
        /// The terms that find nothing.
        terms: Vec<String>,
    },
    /// Section 4.6: a term that breaks the grammar.
    #[error(
        "the SPF record of {at} has a broken term, a permanent error (permerror): `{term}` ({why})"
    )]
    Broken {
        /// Where.
        at: Domain,
        /// The term.
        term: String,
        /// What is wrong with it.
        why: String,
    },
    /// Section 5.2: an `include` of a domain without a record; section 6.1: likewise `redirect`.
    #[error("`{term}` leads to {at}, which has no SPF record, a permanent error (permerror)")]
    Nothing {
        /// The domain that was included.
        at: Domain,
        /// The term that leads there.
        term: String,
    },
}

/// What the walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The record at the start.
    pub record: Option<String>,
    /// How many terms cause look-ups, at worst.
    pub lookups: usize,
    /// Terms whose look-up finds nothing.
    pub void: Vec<String>,
    /// Every domain whose record lets mail pass here, directly or through others.
    pub includes: BTreeSet<Domain>,
    /// Terms with macros: what they match differs from mail to mail.
    pub macros: Vec<String>,
    /// Why it does not count.
    pub problem: Option<Problem>,
}

/// What to look up at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Its texts.
    Texts,
    /// Its addresses.
    Addresses,
    /// Its mail servers.
    Mx,
}

/// What the walk needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The name.
    pub name: Domain,
    /// What to look up there.
    pub what: What,
    term: String,
    passes: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The texts.
    Texts(Vec<String>),
    /// The number of records.
    Count(usize),
}

/// A walk through a record and all that it includes.
#[derive(Debug)]
pub struct Walk {
    start: Domain,
    open: Vec<Need>,
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
        let need =
            Need { name: start.clone(), what: What::Texts, term: String::new(), passes: true };
        Self { start: start.clone(), open: vec![need], report: Report::default() }
    }

    /// What is needed next; nothing when the walk is over.
    #[must_use]
    pub fn next(&self) -> Option<&Need> {
        self.open.last().filter(|_| self.report.problem.is_none())
    }

    /// Takes what was found where [`Walk::next`] pointed.
    pub fn feed(&mut self, seen: Seen) {
        let Some(need) = self.open.pop() else { return };
        match seen {
            Seen::Count(0) => {
                self.report.void.push(format!("`{}`", need.term));
                if self.report.void.len() > MOST_VOID {
                    let (at, terms) = (self.start.clone(), self.report.void.clone());
                    self.report.problem = Some(Problem::TooManyVoid { at, terms });
                }
            }
            Seen::Count(_) => {}
            Seen::Texts(texts) => self.texts(need, &texts),
        }
    }

    /// What was found.
    #[must_use]
    pub fn report(self) -> Report {
        self.report
    }

    fn texts(&mut self, need: Need, texts: &[String]) {
        let records: Vec<&String> = texts.iter().filter(|text| is_record(text)).collect();
        let (at, first) = (need.name, self.report.record.is_none());
        match records[..] {
            [] if at == self.start && first => {}
            [] => self.report.problem = Some(Problem::Nothing { at, term: need.term }),
            [record] => {
                self.report.record.get_or_insert_with(|| record.clone());
                self.terms(&at, record, need.passes);
            }
            _ => self.report.problem = Some(Problem::Several { at, count: records.len() }),
        }
    }

    fn terms(&mut self, at: &Domain, record: &str, passes: bool) {
        let read = match grammar::parse(record) {
            Ok(read) => read,
            Err((term, why)) => {
                self.report.problem = Some(Problem::Broken { at: at.clone(), term, why });
                return;
            }
        };
        // Section 5.1: what comes behind `all` is never looked at, and with `all` no redirect.
        let end = read.directives.iter().position(|one| one.mechanism == Mechanism::All);
        let mut next = Vec::new();
        for one in &read.directives[..end.unwrap_or(read.directives.len())] {
            let passes = passes && one.passes;
            let (target, what) = match &one.mechanism {
                Mechanism::All | Mechanism::Address => continue,
                // What it matches depends on the sender's address alone.
                Mechanism::Ptr => {
                    self.report.lookups += 1;
                    continue;
                }
                Mechanism::Include(target) => (Some(target), What::Texts),
                Mechanism::A(target) => (target.as_ref(), What::Addresses),
                Mechanism::Exists(target) => (Some(target), What::Addresses),
                Mechanism::Mx(target) => (target.as_ref(), What::Mx),
            };
            let own = Target::Name(at.clone());
            next.extend(self.need(target.unwrap_or(&own), what, &one.text, passes));
        }
        if let (Some((target, term)), None) = (&read.redirect, end) {
            next.extend(self.need(target, What::Texts, term, passes));
        }
        self.open.extend(next.into_iter().rev());
        if self.report.lookups > MOST_LOOKUPS {
            self.report.problem = Some(Problem::TooMany { at: self.start.clone() });
        }
    }

    fn need(&mut self, at: &Target, what: What, term: &str, passes: bool) -> Option<Need> {
        self.report.lookups += 1;
        let Target::Name(name) = at else {
            self.report.macros.push(term.to_owned());
            return None;
        };
        if what == What::Texts && passes {
            self.report.includes.insert(name.clone());
        }
        Some(Need { name: name.clone(), what, term: term.to_owned(), passes })
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, Report, Seen, Walk, What, is_record};
    use crate::name::Domain;

    fn name(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    /// Walks through zones of `name text` lines, from the first one on.
    fn walk(zones: &[(&str, &str)]) -> Report {
        let mut walk = Walk::new(&name(zones[0].0));
        while let Some(next) = walk.next() {
            let here = zones.iter().filter(|(at, _)| name(at) == next.name);
            let texts: Vec<String> = here.map(|(_, text)| (*text).to_owned()).collect();
            // In these zones names that begin with `void` have neither addresses nor mail servers.
            let count = usize::from(!next.name.as_str().starts_with("void"));
            walk.feed(if next.what == What::Texts {
                Seen::Texts(texts)
            } else {
                Seen::Count(count)
            });
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
        assert_eq!(report.macros, ["exists:%{i}.c.example"]);
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
        let term = "include:b.example".into();
        assert_eq!(report.problem, Some(Problem::Nothing { at: name("b.example"), term }));
    }

    #[test]
    fn section_4_6_refuses_terms_it_does_not_know_and_6_ignores_modifiers() {
        let broken = walk(&[
            ("a.example", "v=spf1 include:b.example ~all"),
            ("b.example", "v=spf1 ip4:1.2.3"),
        ]);
        let Some(Problem::Broken { at, term, .. }) = broken.problem else { panic!("it is broken") };
        assert_eq!((at, term.as_str()), (name("b.example"), "ip4:1.2.3"));
        assert_eq!(walk(&[("a.example", "v=spf1 exp=e.example x=y -all")]).problem, None);
    }

    #[test]
    fn section_4_6_4_allows_two_void_look_ups_and_no_more() {
        let two = walk(&[("a.example", "v=spf1 a:void1.example mx:void2.example a -all")]);
        assert_eq!((two.void.len(), two.problem), (2, None));
        let three = walk(&[(
            "a.example",
            "v=spf1 a:void1.example mx:void2.example exists:void3.example -all",
        )]);
        let Some(Problem::TooManyVoid { terms, .. }) = three.problem else { panic!("too many") };
        assert_eq!(terms, ["`a:void1.example`", "`mx:void2.example`", "`exists:void3.example`"]);
    }

    /// Section 4.6.2: a match of `-include:` or `?include:` is no pass.
    #[test]
    fn only_what_passes_is_included() {
        let zones = |term: &'static str| {
            [
                ("a.example", term),
                ("b.example", "v=spf1 include:c.example"),
                ("c.example", "v=spf1 -all"),
            ]
        };
        let passing = walk(&zones("v=spf1 include:b.example -all"));
        assert_eq!(passing.includes, [name("b.example"), name("c.example")].into());
        assert!(walk(&zones("v=spf1 -include:b.example ?all")).includes.is_empty());
    }
}
