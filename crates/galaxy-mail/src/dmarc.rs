//! Reads DMARC records and says what a receiver makes of a mail, by RFC 7489 and its successor,
//! RFC 9989.
//!
//! Hand-written, as receivers skip what they can't read and we have to name it.

use std::collections::BTreeSet;

use crate::name::Domain;

/// What a receiver should do with mail that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing but reports.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Action {
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}

/// How like each other two domains have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// The same organisational domain.
    Relaxed,
    /// The same domain.
    Strict,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `p`: for the domain itself.
    pub action: Action,
    /// `sp`: for its subdomains, where that differs.
    pub subdomains: Option<Action>,
    /// `adkim`
    pub dkim: Alignment,
    /// `aspf`
    pub spf: Alignment,
    /// `pct`: the share of mails it applies to, in percent.
    pub percent: u8,
    /// `rua`: addresses that reports go to.
    pub reports: Vec<String>,
}

/// Why a text is no DMARC record, although it wants to be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Section 6.3: the version has to come first.
    #[error("it does not begin with `v=DMARC1;`")]
    Version,
    /// Section 6.6.3: no policy and no address for reports.
    #[error("it has no valid `p=`")]
    NoPolicy,
    /// Section 6.4: a value that the tag does not take. Receivers go by the tag's default.
    #[error("`{0}` is not a value that this tag takes, so receivers ignore it")]
    Value(String),
    /// Section 6.4: two tags without a semicolon between them.
    #[error("a `;` is missing between the tags in `{0}`")]
    Glued(String),
    /// Section 6.4: something that is no tag.
    #[error("`{0}` is no tag: a `=` is missing")]
    NoTag(String),
    /// RFC 6376, section 3.2: the same tag twice makes the record void.
    #[error("the tag `{0}` is there twice")]
    Twice(String),
}

/// Section 6.6.3, step 2: what does not begin with the version is discarded, whatever it is.
#[must_use]
pub fn is_record(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    let Some((tag, value)) = first.split_once('=') else { return false };
    // Section 6.4: `v` in any case, its value in this very case.
    tag.trim_end().eq_ignore_ascii_case("v") && value.trim() == "DMARC1"
}

impl Policy {
    /// Reads a record, as in section 6.4. Unknown tags are ignored (section 6.3).
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        if !is_record(text) {
            return Err(Wrong::Version);
        }
        let mut policy = Self {
            action: Action::None,
            subdomains: None,
            dkim: Alignment::Relaxed,
            spf: Alignment::Relaxed,
            percent: 100,
            reports: Vec::new(),
        };
        let (mut action, mut seen) = (None, BTreeSet::new());
        for tag in text.split(';').skip(1).map(str::trim).filter(|tag| !tag.is_empty()) {
            let (name, value) = tag.split_once('=').ok_or_else(|| Wrong::NoTag(tag.into()))?;
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            if !seen.insert(name.clone()) {
                return Err(Wrong::Twice(name));
            }
            if value.split_whitespace().skip(1).any(|part| part.contains('=')) {
                return Err(Wrong::Glued(tag.into()));
            }
            if name == "p" {
                action = Action::parse(value);
            } else {
                policy.set(&name, value).ok_or_else(|| Wrong::Value(format!("{name}={value}")))?;
            }
        }
        match action {
            Some(action) => policy.action = action,
            // Section 6.6.3, step 6: with an address for reports it counts as `none`.
            None if !policy.reports.is_empty() => policy.action = Action::None,
            None => return Err(Wrong::NoPolicy),
        }
        Ok(policy)
    }

    /// Takes the value of a tag; nothing where the tag does not take it.
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let one_of = |values: &[&str]| {
            let known =
                |one: &str| values.iter().any(|value| value.eq_ignore_ascii_case(one.trim()));
            value.split(':').all(known).then_some(())
        };
        match name {
            "sp" => self.subdomains = Some(Action::parse(value)?),
            "np" => drop(Action::parse(value)?),
            "adkim" => self.dkim = alignment(value)?,
            "aspf" => self.spf = alignment(value)?,
            "pct" => self.percent = value.parse().ok().filter(|percent| *percent <= 100)?,
            "rua" => {
                self.reports = addresses(value);
                return are_uris(value);
            }
            "ruf" => return are_uris(value),
            "fo" => return one_of(&["0", "1", "d", "s"]),
            "ri" => drop(value.parse::<u32>().ok()?),
            "psd" => return one_of(&["y", "n", "u"]),
            "t" => return one_of(&["y", "n"]),
            // Section 6.3: tags that a receiver does not know are ignored.
            _ => {}
        }
        Some(())
    }

    /// Names that other organisations must have a record at before reports may go to them
    /// (section 7.1).
    #[must_use]
    pub fn external_reports(&self, domain: &Domain) -> Vec<Domain> {
        let host = |address: &String| Domain::parse(address.rsplit('@').next()?).ok();
        self.reports
            .iter()
            .filter_map(host)
            .filter(|host| host.organisational() != domain.organisational())
            .filter_map(|host| Domain::parse(&format!("{domain}._report._dmarc.{host}")).ok())
            .collect()
    }
}

fn alignment(text: &str) -> Option<Alignment> {
    match text {
        "r" | "R" => Some(Alignment::Relaxed),
        "s" | "S" => Some(Alignment::Strict),
        _ => None,
    }
}

/// Whether reports have addresses that they can go to.
fn are_uris(value: &str) -> Option<()> {
    let one = |uri: &str| {
        let (scheme, rest) = uri.trim().split_once(':').unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "mailto" => rest.split_once('@').is_some_and(|(local, at)| {
                !local.is_empty() && Domain::parse(at.split('!').next().unwrap_or_default()).is_ok()
            }),
            "http" | "https" => rest.starts_with("//"),
            _ => false,
        }
    };
    value.split(',').all(one).then_some(())
}

/// Section 6.2: URIs with commas between them, each with a size behind a `!` perhaps.
fn addresses(value: &str) -> Vec<String> {
    let address = |uri: &str| {
        let uri = uri.trim().split('!').next().unwrap_or_default();
        let start = uri.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:"));
        start.map(|_| uri[7..].to_owned()).filter(|address| address.contains('@'))
    };
    value.split(',').filter_map(address).collect()
}

/// Which record counts for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// None.
    Nothing,
    /// Several at one name: none of them counts (section 6.6.3, step 5).
    Several(Domain),
    /// One that can't be read.
    Broken(Domain, Wrong),
    /// The one at this name.
    Policy(Domain, Policy),
}

/// Section 6.6.3: at the domain itself, and if there is none at the organisational domain. The
/// texts are those at `_dmarc` below each.
#[must_use]
pub fn discover(domain: &Domain, here: &[String], organisation: &[String]) -> Discovery {
    let places = [(domain.clone(), here), (domain.organisational(), organisation)];
    for (at, texts) in places {
        let records: Vec<&String> = texts.iter().filter(|text| is_record(text)).collect();
        return match records[..] {
            [] => continue,
            [record] => match Policy::parse(record) {
                Ok(policy) => Discovery::Policy(at, policy),
                Err(wrong) => Discovery::Broken(at, wrong),
            },
            _ => Discovery::Several(at),
        };
    }
    Discovery::Nothing
}

/// Section 3.1: whether an authenticated domain is aligned with the one that people see.
#[must_use]
pub fn aligned(mode: Alignment, from: &Domain, authenticated: &Domain) -> bool {
    match mode {
        Alignment::Strict => from == authenticated,
        Alignment::Relaxed => from.organisational() == authenticated.organisational(),
    }
}

/// What a receiver knows about a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The domain in the `From` header.
    pub from: Domain,
    /// The domains whose DKIM signatures are good.
    pub dkim: Vec<Domain>,
    /// The domain that SPF is good for.
    pub spf: Option<Domain>,
}

/// What it makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether a good signature is of the right domain.
    pub dkim: bool,
    /// Whether a good SPF is of the right domain.
    pub spf: bool,
    /// The disposition, for the share of mails that [`Policy::percent`] gives.
    pub action: Action,
}

/// Section 6.6.2: one of both is enough.
#[must_use]
pub fn evaluate(at: &Domain, policy: &Policy, mail: &Received) -> Outcome {
    let dkim = mail.dkim.iter().any(|domain| aligned(policy.dkim, &mail.from, domain));
    let spf = mail.spf.as_ref().is_some_and(|domain| aligned(policy.spf, &mail.from, domain));
    // Section 6.3, `sp`: for subdomains of the domain that has the record.
    let action = match policy.subdomains {
        Some(action) if mail.from != *at => action,
        _ => policy.action,
    };
    Outcome { dkim, spf, action: if dkim || spf { Action::None } else { action } }
}

#[cfg(test)]
mod tests {
    use super::{
        Action, Alignment, Discovery, Policy, Received, Wrong, aligned, discover, evaluate,
        is_record,
    };
    use crate::name::Domain;

    fn name(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn policy(text: &str) -> Policy {
        Policy::parse(text).unwrap()
    }

    #[test]
    fn section_3_1_1_aligns_signatures() {
        let (from, below, other) = (name("example.com"), name("a.example.com"), name("b.test"));
        assert!(aligned(Alignment::Relaxed, &from, &below));
        assert!(!aligned(Alignment::Strict, &from, &below));
        assert!(aligned(Alignment::Strict, &from, &from));
        assert!(!aligned(Alignment::Relaxed, &from, &other));
        // Neighbours below a public suffix are strangers.
        assert!(!aligned(Alignment::Relaxed, &name("a.co.uk"), &name("b.co.uk")));
    }

    #[test]
    fn section_3_1_2_aligns_the_domain_that_bounces_go_to() {
        let mail =
            |spf: &str| Received { from: name("example.com"), dkim: vec![], spf: Some(name(spf)) };
        let at = name("example.com");
        let relaxed = policy("v=DMARC1; p=reject");
        assert!(evaluate(&at, &relaxed, &mail("bounce.example.com")).spf);
        assert!(
            !evaluate(&at, &policy("v=DMARC1; p=reject; aspf=s"), &mail("bounce.example.com")).spf
        );
        // Without a custom MAIL FROM domain the envelope is Amazon's.
        let amazon = evaluate(&at, &relaxed, &mail("eu-west-1.amazonses.com"));
        assert_eq!((amazon.spf, amazon.action), (false, Action::Reject));
    }

    #[test]
    fn section_6_3_has_defaults_and_ignores_tags_it_does_not_know() {
        let read = policy("v=DMARC1; p=quarantine; x=1; ; fo=1");
        assert_eq!((read.action, read.subdomains, read.percent), (Action::Quarantine, None, 100));
        assert_eq!((read.dkim, read.spf), (Alignment::Relaxed, Alignment::Relaxed));
    }

    #[test]
    fn section_6_3_wants_the_version_first_and_in_its_case() {
        assert!(is_record("v = DMARC1 ; p=none"));
        for other in ["p=none; v=DMARC1", "v=dmarc1; p=none", "v=DMARC12; p=none", "v=spf1 -all"] {
            assert_eq!(Policy::parse(other), Err(Wrong::Version), "{other}");
        }
    }

    #[test]
    fn section_6_4_refuses_values_that_a_tag_does_not_take() {
        for wrong in [
            "pct=101",
            "pct=x",
            "adkim=x",
            "aspf=relaxed",
            "sp=maybe",
            "np=maybe",
            "fo=2",
            "psd=x",
            "t=1",
            "ri=daily",
            "rua=reports@example.com",
            "rua=mailto:reports",
            "ruf=ftp://x",
        ] {
            let text = format!("v=DMARC1; p=none; {wrong}");
            assert_eq!(Policy::parse(&text), Err(Wrong::Value(wrong.into())), "{wrong}");
        }
    }

    #[test]
    fn section_6_4_refuses_what_is_no_list_of_tags() {
        let wrong = |text: &str| Policy::parse(text).unwrap_err();
        assert_eq!(wrong("v=DMARC1; none"), Wrong::NoTag("none".into()));
        assert_eq!(wrong("v=DMARC1; p=none; p=reject"), Wrong::Twice("p".into()));
        let glued = "p=none rua=mailto:a@example.com";
        assert_eq!(wrong(&format!("v=DMARC1; {glued}")), Wrong::Glued(glued.into()));
    }

    #[test]
    fn section_6_6_3_step_6_needs_a_policy_or_somebody_to_report_to() {
        assert_eq!(Policy::parse("v=DMARC1"), Err(Wrong::NoPolicy));
        assert_eq!(Policy::parse("v=DMARC1; p=maybe; rua=https://x"), Err(Wrong::NoPolicy));
        let read = policy("v=DMARC1; p=maybe; rua=mailto:a@example.com!10m");
        assert_eq!((read.action, read.reports), (Action::None, texts(&["a@example.com"])));
    }

    #[test]
    fn section_6_6_3_looks_at_the_domain_and_then_at_its_organisation() {
        let (from, own) = (name("mail.example.com"), texts(&["v=DMARC1; p=reject"]));
        let above = texts(&["v=DMARC1; p=none", "some other text"]);
        let found = |discovery| match discovery {
            Discovery::Policy(at, policy) => (at, policy.action),
            other => panic!("{other:?}"),
        };
        assert_eq!(found(discover(&from, &own, &above)), (from.clone(), Action::Reject));
        assert_eq!(found(discover(&from, &[], &above)), (name("example.com"), Action::None));
        assert_eq!(discover(&from, &[], &[]), Discovery::Nothing);
        let two = texts(&["v=DMARC1; p=none", "v=DMARC1; p=reject"]);
        assert_eq!(discover(&from, &two, &above), Discovery::Several(from.clone()));
        let broken = texts(&["v=DMARC1; p=perhaps"]);
        assert_eq!(discover(&from, &broken, &[]), Discovery::Broken(from, Wrong::NoPolicy));
    }

    #[test]
    fn section_6_6_2_one_of_both_is_enough() {
        let at = name("example.com");
        let strict = policy("v=DMARC1; p=reject; sp=quarantine");
        let mut mail = Received { from: at.clone(), dkim: vec![], spf: None };
        assert_eq!(evaluate(&at, &strict, &mail).action, Action::Reject);
        mail.dkim = vec![name("other.test"), name("example.com")];
        assert_eq!(evaluate(&at, &strict, &mail).action, Action::None);
        // `sp` applies to subdomains.
        let below = Received { from: name("a.example.com"), dkim: vec![], spf: None };
        assert_eq!(evaluate(&at, &strict, &below).action, Action::Quarantine);
    }

    #[test]
    fn section_7_1_asks_strangers_whether_they_want_the_reports() {
        let read = policy("v=DMARC1; p=none; rua=mailto:a@example.com, mailto:b@reports.test");
        let names = read.external_reports(&name("mail.example.com"));
        assert_eq!(names, [name("mail.example.com._report._dmarc.reports.test")]);
    }
}
