//! Mistakes in words: what is, what should be, and where to change it.

use std::fmt;

use super::{Mistake, list};
use crate::dns::Trouble;
use crate::records::{Purpose, Wanted};

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Different(is) | Self::Wildcard(is) => write!(f, "is currently {}", list(is)),
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
            Self::Delegation(trouble) => write!(f, "{trouble}"),
            Self::SecondSpf(count) => write!(f, "there are currently {count} SPF records"),
            Self::Spf(problem) => write!(f, "{problem}"),
            Self::SecondDmarc(at) => {
                write!(f, "_dmarc.{at} currently has more than one DMARC record")
            }
            Self::Dmarc(at, wrong) => {
                write!(f, "the DMARC record at _dmarc.{at} can't be read: {wrong}")
            }
            Self::ExtraMx(is) => write!(f, "there are currently several: {}", list(is)),
            Self::Caa { at, allows } if allows.is_empty() => {
                write!(f, "the CAA records of {at} currently let nobody issue certificates")
            }
            Self::Caa { at, allows } => {
                write!(f, "the CAA records of {at} currently let only {} issue", list(allows))
            }
            Self::TopCname => f.write_str("is the top of its zone, where there can be no CNAME"),
            Self::Proxied(at) => {
                write!(f, "is currently behind Cloudflare's proxy and answers with {}", list(at))
            }
            Self::Elsewhere(at) => write!(f, "currently has the addresses {}", list(at)),
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
            Self::Delegation(Trouble::Lame { .. }) => "delegated to servers that know it".into(),
            Self::Delegation(_) => "registered and delegated".into(),
            Self::SecondSpf(_) => "one SPF record that says everything".into(),
            Self::Spf(_) => format!("one that receivers go by, such as `{}`", wanted.data.value()),
            Self::SecondDmarc(_) => "one DMARC record".into(),
            Self::Dmarc(..) => format!("one such as `{}`", wanted.data.value()),
            Self::ExtraMx(_) => format!("exactly one: {}", wanted.data.value()),
            Self::Caa { .. } => "one that lets amazon.com issue, or none".into(),
            Self::TopCname => format!("an ALIAS or ANAME to {}", wanted.data.value()),
            Self::Proxied(_) => format!("{}, not proxied", record()),
            Self::Elsewhere(_) => format!("those of {}", wanted.data.value()),
            Self::Different(_) if wanted.purpose == Purpose::Spf => {
                "the same with `include:amazonses.com` in it".into()
            }
            Self::Different(_) | Self::ValueTwice(_) | Self::Wildcard(_) => record(),
        }
    }

    /// What to do.
    #[must_use]
    pub fn cure(&self, wanted: &Wanted, zone: &str) -> String {
        match self {
            Self::Different(_) if wanted.purpose == Purpose::Spf => {
                "add `include:amazonses.com` to it, in front of its `all`; a second record beside \
                 it would make both void"
                    .into()
            }
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
                "set these name servers as an NS record at {zone} in the zone {parent}, or delete \
                 the zone {zone} if nobody needs it"
            ),
            Self::Delegation(Trouble::Lame { .. }) => format!(
                "look up the name servers of the zone {zone} at your DNS provider and set exactly \
                 these at the registrar"
            ),
            Self::Delegation(_) => {
                "register the domain, or have the registrar lift the hold and set name servers \
                 there; mind the spelling"
                    .into()
            }
            Self::SecondSpf(_) => "merge them: one `v=spf1`, every `include:` of both, one `~all` \
                                   at the end; then delete the others"
                .into(),
            Self::Spf(_) => "take out includes that are no longer used, and mend the term".into(),
            Self::SecondDmarc(_) => "keep the stricter one and delete the others".into(),
            Self::Dmarc(..) => "it begins with `v=DMARC1;` and then has `p=none`, `p=quarantine` \
                                or `p=reject`"
                .into(),
            Self::ExtraMx(_) => format!(
                "delete the others; `{}` must receive no other mail, so if it does, take another \
                 `mail.bounce` in galaxy.yaml",
                wanted.name
            ),
            Self::Caa { at, .. } => format!(
                "add a CAA record at {at}: flags 0, tag `issue`, value `amazon.com`; the others \
                 can stay"
            ),
            Self::TopCname => "use ALIAS, ANAME or CNAME flattening, where your provider has one \
                               of these; else move the zone to Route 53, or use a name below it, \
                               such as www"
                .into(),
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
