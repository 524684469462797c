//! Mistakes in words: what is, what should be, and where to change it.

use std::fmt;

use super::{Mistake, State, list};
use crate::dns::Signed;
use crate::near::{Near, Slip};
use crate::records::{Purpose, Wanted};

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Different(is) | Self::Wildcard(is) => write!(f, "is currently {}", list(is)),
            Self::NotEverywhere(who) => {
                let one = |(servers, says): &(String, String)| format!("{servers} says {says}");
                let all: Vec<String> = who.iter().map(one).collect();
                write!(f, "is not everywhere yet: {}", all.join("; "))
            }
            Self::Signatures(Signed::Expired { zone, until }) => write!(
                f,
                "can't be seen by validating resolvers: a DNSSEC signature of {zone} expired on \
                 {until}"
            ),
            Self::Signatures(Signed::NoKey { zone }) => write!(
                f,
                "can't be seen by validating resolvers: the registry has a DS record for {zone}, \
                 but the zone is not signed"
            ),
            Self::Signatures(_) => f.write_str(
                "can't be seen by validating resolvers: the DNSSEC signatures of its zone don't \
                 hold",
            ),
            Self::Near(near) => {
                write!(f, "is nearly there: {} has `{}`, but {}", near.at, near.says, near.slip)
            }
            Self::NameTwice(at) => write!(f, "is currently set at {at}"),
            Self::ValueTwice(is) => write!(f, "currently leads to {is}"),
            Self::WrongZone { zone, is, .. } if is.is_empty() => {
                write!(f, "{zone} is currently delegated to no name servers, or not registered")
            }
            Self::WrongZone { zone, is, .. } => {
                write!(f, "{zone} is currently delegated to {}", list(is))
            }
            Self::NotLed { zone, parent, .. } => {
                write!(f, "the zone {parent} currently does not lead to the zone {zone}")
            }
            Self::Delegation(trouble) | Self::Chain(trouble) => write!(f, "{trouble}"),
            Self::SecondSpf(count) => write!(f, "there are currently {count} SPF records"),
            Self::Spf(problem) => write!(f, "{problem}"),
            Self::SecondDmarc(at) => {
                write!(f, "_dmarc.{at} currently has more than one DMARC record")
            }
            Self::Dmarc(at, wrong) => {
                write!(f, "the DMARC record at _dmarc.{at} is broken: {wrong}")
            }
            Self::ExtraMx(is) => write!(f, "there are currently several: {}", list(is)),
            Self::Caa { at, allows } if allows.is_empty() => {
                write!(f, "the CAA records of {at} currently allow no issuer")
            }
            Self::Caa { at, allows } => {
                write!(f, "the CAA records of {at} currently let only {} issue", list(allows))
            }
            Self::CriticalCaa { at, tag } => {
                write!(
                    f,
                    "a CAA record of {at} currently has the tag `{tag}`, marked as critical: \
                     issuers that don't know this tag must not issue"
                )
            }
            Self::TopCname => f.write_str("is the top of its zone, where there can be no CNAME"),
            Self::Proxied(at) => {
                write!(f, "is currently behind Cloudflare's proxy and answers with {}", list(at))
            }
            Self::Elsewhere(at) => write!(f, "currently has the addresses {}", list(at)),
        }
    }
}

impl State {
    /// The whole sentence about a record: what is there, what should be and what to do. One that
    /// could not be looked up leads to no advice.
    #[must_use]
    pub fn sentence(&self, wanted: &Wanted, zone: &str) -> String {
        match self {
            Self::Right => "right".into(),
            Self::Missing => "missing".into(),
            Self::Unseen(trouble) => trouble.to_string(),
            Self::Wrong(mistake) => {
                let (should, how) = (mistake.should(wanted), mistake.cure(wanted, zone));
                format!("{mistake}; should be {should}. {how}.")
            }
        }
    }
}

impl Mistake {
    /// What it should be instead, for the record it was found at.
    #[must_use]
    pub fn should(&self, wanted: &Wanted) -> String {
        let record = || format!("{} {}", wanted.data.kind(), wanted.data.value());
        match self {
            Self::NameTwice(_) => format!("the same record at {}", wanted.name),
            Self::WrongZone { should, .. } => format!("delegated to {}", list(should)),
            Self::NotLed { zone, should, .. } => format!("{zone} delegated to {}", list(should)),
            Self::Delegation(_) => "registered and delegated".into(),
            Self::SecondSpf(_) => "one SPF record that says everything".into(),
            Self::Spf(_) => format!("one that receivers go by, such as `{}`", wanted.data.value()),
            Self::SecondDmarc(_) => "one DMARC record".into(),
            Self::Dmarc(..) => format!("one such as `{}`", wanted.data.value()),
            Self::ExtraMx(_) => format!("exactly one: {}", wanted.data.value()),
            Self::CriticalCaa { .. } => "no critical CAA record with an unknown tag".into(),
            Self::Caa { .. } => "one that lets amazon.com issue, or none".into(),
            Self::TopCname => format!("an ALIAS or ANAME to {}", wanted.data.value()),
            Self::Proxied(_) => format!("{}, not proxied", record()),
            Self::Elsewhere(_) => format!("those of {}", wanted.data.value()),
            Self::Different(_) if wanted.purpose == Purpose::Spf => {
                "the same with `include:amazonses.com` in it".into()
            }
            Self::NotEverywhere(_) => format!("{} at every server", record()),
            Self::Signatures(_) => {
                "signed so that it can be validated, or not signed at all".into()
            }
            Self::Near(near) if near.slip == Slip::Place => format!("at {}", wanted.name),
            Self::Different(_)
            | Self::ValueTwice(_)
            | Self::Wildcard(_)
            | Self::Chain(_)
            | Self::Near(_) => record(),
        }
    }

    /// What to do.
    #[must_use]
    pub fn cure(&self, wanted: &Wanted, zone: &str) -> String {
        match self {
            Self::Different(_) if wanted.purpose == Purpose::Spf => INCLUDE.into(),
            Self::Different(_) => {
                format!("change `{}` in the panel of {zone}'s DNS provider", wanted.name)
            }
            Self::NameTwice(_) => format!(
                "your provider adds `.{zone}` by itself: type the name without it, or with a dot \
                 at its end"
            ),
            Self::ValueTwice(_) => format!(
                "your provider takes the value as a name inside {zone}: put a dot at its end"
            ),
            Self::WrongZone { zone, is, .. } if is.is_empty() => {
                format!("register {zone}, or set these name servers at its registrar")
            }
            Self::WrongZone { .. } => format!(
                "set these name servers at the registrar of {zone}, or set the record where the \
                 current ones are kept; an old zone of the same name is the usual reason"
            ),
            Self::NotLed { zone, parent, .. } => format!(
                "set these name servers as an NS record at {zone} in the zone {parent}, or \
                 delete the zone {zone} if it is unused"
            ),
            Self::Delegation(_) => REGISTER.into(),
            Self::NotEverywhere(_) => WAIT.into(),
            Self::Chain(_) => {
                format!("set the CNAMEs of `{}` so that they end at a record", wanted.name)
            }
            Self::Signatures(signed) => sign(signed, zone),
            Self::Near(near) => correct(near, wanted, zone),
            Self::SecondSpf(_) => MERGE.into(),
            Self::Spf(_) => "take out includes that are no longer used, and mend the term".into(),
            Self::SecondDmarc(_) => "keep the stricter one and delete the others".into(),
            Self::Dmarc(..) => BEGINNING.into(),
            Self::ExtraMx(_) => format!(
                "delete the others; `{}` must receive no other mail, so if it does, take another \
                 `mail.bounce` in galaxy.yaml",
                wanted.name
            ),
            Self::CriticalCaa { at, tag } => {
                format!("delete the CAA record with the tag `{tag}` at {at}, or set its flags to 0")
            }
            Self::Caa { at, .. } => format!(
                "add a CAA record at {at}: flags 0, tag `issue`, value `amazon.com`; the others \
                 can stay"
            ),
            Self::TopCname => FLATTEN.into(),
            Self::Proxied(_) => {
                "switch the proxy off for this record: grey cloud, `DNS only`".into()
            }
            Self::Wildcard(_) => {
                "set the record itself; a wildcard answers only while there is none".into()
            }
            Self::Elsewhere(_) => format!(
                "if https://{} shows your site all is well: providers differ in what an ALIAS \
                 answers; else change it",
                wanted.name
            ),
        }
    }
}

const INCLUDE: &str = "add `include:amazonses.com` to it, in front of its `all`; a second record \
                       beside it would make both void";
const REGISTER: &str = "register the domain, or have the registrar lift the hold and set name \
                        servers there; mind the spelling";
const WAIT: &str = "wait until all name servers have the same zone, usually some minutes; if it \
                    stays, ask your DNS provider";
const MERGE: &str = "merge them: one `v=spf1`, every `include:` of both, one `~all` at the end; \
                     then delete the others";
const BEGINNING: &str =
    "it begins with `v=DMARC1;` and then has `p=none`, `p=quarantine` or `p=reject`";
const FLATTEN: &str = "use ALIAS, ANAME or CNAME flattening, where your provider has one of these; \
                       else move the zone to Route 53, or use a name below it, such as www";

fn sign(signed: &Signed, zone: &str) -> String {
    match signed {
        Signed::NoKey { zone } => format!(
            "delete the DS record at the registrar of {zone}, or sign the zone at its DNS \
             provider; Amazon and mail receivers see nothing in it until then"
        ),
        _ => format!(
            "have the DNS provider of {zone} sign the zone again, or delete the DS record at its \
             registrar; Amazon and mail receivers see nothing in it until then"
        ),
    }
}

fn correct(near: &Near, wanted: &Wanted, zone: &str) -> String {
    match near.slip {
        Slip::Place => format!(
            "set it at `{}`; leave the one at `{}` if other mail needs it",
            wanted.name, near.at
        ),
        Slip::Type => format!("delete the TXT record and set a CNAME at `{}`", wanted.name),
        _ => format!(
            "change it to exactly `{}` in the panel of {zone}'s DNS provider",
            wanted.data.value()
        ),
    }
}
