//! Looks at a wanted record, and where it is not right, at what the usual mistakes leave behind.

use std::net::IpAddr;

use super::{Answer, DEPTH, Dns, Found, Kind, Trouble, Zone};
use crate::name::Domain;
use crate::records::{Data, Purpose, Wanted};
use crate::spf;

/// What was seen of a wanted record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What stands at its name.
    pub answer: Result<Answer, Trouble>,
    /// The zone that the name lies in.
    pub zone: Option<Zone>,
    /// What stands at its name with the zone's name behind it once more.
    pub twice: Option<String>,
    /// The addresses of the name, where there should be a CNAME and is none.
    pub addresses: Vec<IpAddr>,
    /// The addresses of the target, where it is an alias.
    pub target: Vec<IpAddr>,
    /// Whether any name beside it gives the same answer.
    pub wildcard: bool,
    /// For a certificate: where the rules are about who may issue, and the rules.
    pub caa: Option<(Domain, Vec<Found>)>,
    /// For SPF: what a receiver's walk finds.
    pub spf: Option<spf::Report>,
    /// For DMARC: the texts at the organisational domain.
    pub organisation: Vec<String>,
}

/// A label that nobody uses.
const NOBODY: &str = "no-such-name-7f3a9c";

impl Dns {
    /// Looks at a record.
    pub async fn look(&self, wanted: &Wanted) -> Looked {
        let kind = match wanted.data {
            Data::Cname(_) => Kind::Cname,
            Data::Mx(..) => Kind::Mx,
            Data::Txt(_) => Kind::Txt,
            Data::Alias(_) => Kind::A,
        };
        let answer = self.answer(&wanted.name, kind).await;
        let zone = self.zone(&wanted.name).await.ok();
        let mut looked = Looked {
            answer,
            zone,
            twice: None,
            addresses: Vec::new(),
            target: Vec::new(),
            wildcard: false,
            caa: None,
            spf: None,
            organisation: Vec::new(),
        };
        self.look_beside(wanted, kind, &mut looked).await;
        self.look_around(wanted, &mut looked).await;
        looked
    }

    /// What may stand where the record should be.
    async fn look_beside(&self, wanted: &Wanted, kind: Kind, looked: &mut Looked) {
        let Ok(answer) = looked.answer.clone() else { return };
        if let Data::Alias(target) = &wanted.data {
            looked.addresses = self.addresses(&wanted.name).await.unwrap_or_default();
            looked.target = self.addresses(target).await.unwrap_or_default();
        }
        let nothing = answer.found.is_empty() && answer.cname.is_none();
        if let (true, Some(zone)) = (nothing, &looked.zone)
            && let Ok(name) = wanted.name.below_zone(&zone.name)
            && let Ok(there) = self.answer(&name, kind).await
        {
            let here = there.cname.map(|target| target.to_string());
            looked.twice = here.or_else(|| there.found.first().map(ToString::to_string));
        }
        if kind != Kind::Cname {
            return;
        }
        let right =
            matches!(&wanted.data, Data::Cname(target) if answer.cname.as_ref() == Some(target));
        if nothing {
            looked.addresses = self.addresses(&wanted.name).await.unwrap_or_default();
        }
        let nowhere = nothing && looked.addresses.is_empty();
        if !right && !nowhere {
            looked.wildcard = self.is_wildcard(wanted, &answer, &looked.addresses).await;
        }
    }

    /// Whether a name that nobody can have set answers likewise.
    async fn is_wildcard(&self, wanted: &Wanted, answer: &Answer, at: &[IpAddr]) -> bool {
        let Some(Ok(name)) = wanted.name.parent().map(|parent| parent.below(NOBODY)) else {
            return false;
        };
        if answer.cname.is_some() {
            let other = self.answer(&name, Kind::Cname).await;
            return other.is_ok_and(|other| other.cname == answer.cname);
        }
        self.addresses(&name).await.is_ok_and(|other| !other.is_empty() && other == at)
    }

    /// What the record alone does not tell.
    async fn look_around(&self, wanted: &Wanted, looked: &mut Looked) {
        match wanted.purpose {
            Purpose::Certificate => {
                if let Some(domain) = wanted.name.parent() {
                    looked.caa = self.caa(domain).await.ok().flatten();
                }
            }
            Purpose::Spf => looked.spf = self.spf(&wanted.name).await.ok(),
            Purpose::Dmarc => {
                let domain = wanted.name.parent().map(|domain| domain.organisational());
                if let Some(Ok(above)) = domain.map(|domain| domain.below("_dmarc"))
                    && above != wanted.name
                {
                    looked.organisation = self.texts(&above).await.unwrap_or_default();
                }
            }
            _ => {}
        }
    }

    /// RFC 8659, section 3: the rules at the domain, else at the next one above it.
    async fn caa(&self, domain: Domain) -> Result<Option<(Domain, Vec<Found>)>, Trouble> {
        let mut at = Some(domain);
        while let Some(name) = at {
            let rules = self.following(&name, Kind::Caa).await?;
            if !rules.is_empty() {
                return Ok(Some((name, rules)));
            }
            at = name.parent().filter(|parent| parent.registrable().is_some());
        }
        Ok(None)
    }

    /// The walk of RFC 7208, with the texts that stand there now.
    async fn spf(&self, domain: &Domain) -> Result<spf::Report, Trouble> {
        let mut walk = spf::Walk::new(domain);
        while let Some(name) = walk.next().cloned() {
            walk.feed(&self.texts(&name).await?);
        }
        Ok(walk.report())
    }

    /// The texts at a name.
    pub async fn texts(&self, name: &Domain) -> Result<Vec<String>, Trouble> {
        let found = self.following(name, Kind::Txt).await?;
        let text = |found| if let Found::Txt(text) = found { Some(text) } else { None };
        Ok(found.into_iter().filter_map(text).collect())
    }

    /// The records at a name or at the end of its CNAMEs.
    async fn following(&self, name: &Domain, kind: Kind) -> Result<Vec<Found>, Trouble> {
        let mut name = name.clone();
        for _ in 0..DEPTH {
            let answer = self.answer(&name, kind).await?;
            match answer.cname {
                Some(target) => name = target,
                None => return Ok(answer.found),
            }
        }
        Ok(Vec::new())
    }
}
