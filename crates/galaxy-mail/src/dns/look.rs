//! Looks at a wanted record, and where it is not right, at what the usual mistakes leave behind.

use std::net::IpAddr;

use super::{Answer, Dns, Found, Kind, Signed, Trouble, Zone};
use crate::name::Domain;
use crate::records::{Data, Purpose, Wanted};
use crate::spf;

/// What was seen of a wanted record. Every look-up that advice may come from keeps its failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What is at its name, or at the end of its CNAMEs where others follow them.
    pub answer: Result<Answer, Trouble>,
    /// The zone of the name.
    pub zone: Option<Zone>,
    /// What is at its name with the zone's name behind it once more.
    pub twice: Option<String>,
    /// The addresses of the name, where there should be a CNAME and is none.
    pub addresses: Result<Vec<IpAddr>, Trouble>,
    /// The addresses of the target, where it is an alias.
    pub target: Result<Vec<IpAddr>, Trouble>,
    /// Whether the CNAMEs of a site lead to its target through other names.
    pub leads: bool,
    /// Whether any name beside it gives the same answer.
    pub wildcard: bool,
    /// Records nearby that look like the wanted one, at a wrong name or of a wrong type.
    pub beside: Vec<(Domain, Found)>,
    /// For a certificate: where the rules are about who may issue, and the rules.
    pub caa: Result<Option<(Domain, Vec<Found>)>, Trouble>,
    /// For SPF: what a receiver's walk finds.
    pub spf: Option<Result<spf::Report, Trouble>>,
    /// For DMARC: the texts at the organisational domain.
    pub organisation: Result<Vec<String>, Trouble>,
    /// How the answer is signed.
    pub signed: Signed,
}

impl Looked {
    /// How the answer is known: which servers were asked, and whether signatures were checked.
    #[must_use]
    pub fn known(&self) -> String {
        let Ok(answer) = &self.answer else { return "no usable answer".into() };
        match &self.signed {
            Signed::Yes => format!("{}; DNSSEC holds", answer.known()),
            Signed::Unknown(why) => format!("{}; DNSSEC was not checked: {why}", answer.known()),
            _ => answer.known(),
        }
    }
}

/// A label that is never used.
const UNUSED: &str = "no-such-name-7f3a9c";

impl Dns {
    /// Looks at a record.
    pub async fn look(&self, wanted: &Wanted) -> Looked {
        let kind = match wanted.data {
            Data::Cname(_) => Kind::Cname,
            Data::Mx(..) => Kind::Mx,
            Data::Txt(_) => Kind::Txt,
            Data::Alias(_) => Kind::A,
        };
        let answer = match kind {
            // RFC 1034, section 3.6.2: resolvers follow a CNAME when they look these up.
            Kind::Mx | Kind::Txt => self.follow(&wanted.name, kind).await,
            _ => self.answer(&wanted.name, kind).await,
        };
        let zone = self.zone(&wanted.name).await.ok();
        let mut looked = Looked {
            answer,
            zone,
            twice: None,
            addresses: Ok(Vec::new()),
            target: Ok(Vec::new()),
            leads: false,
            wildcard: false,
            beside: Vec::new(),
            caa: Ok(None),
            spf: None,
            organisation: Ok(Vec::new()),
            signed: Signed::No,
        };
        self.look_beside(wanted, kind, &mut looked).await;
        self.look_around(wanted, &mut looked).await;
        if let Ok(Answer { zone: Some(_), .. }) = &looked.answer {
            looked.signed = self.signed(&wanted.name, kind).await;
        }
        looked
    }

    /// What may be where the record should be.
    async fn look_beside(&self, wanted: &Wanted, kind: Kind, looked: &mut Looked) {
        let Ok(answer) = looked.answer.clone() else { return };
        if let Data::Alias(target) = &wanted.data {
            looked.addresses = self.addresses(&wanted.name).await;
            looked.target = self.addresses(target).await;
        }
        let nothing = answer.found.is_empty() && answer.cname.is_none();
        if let (true, Some(zone)) = (nothing, &looked.zone)
            && let Ok(name) = wanted.name.below_zone(&zone.name)
            && let Ok(there) = self.answer(&name, kind).await
        {
            let here = there.cname.map(|target| target.to_string());
            looked.twice = here.or_else(|| there.found.first().map(ToString::to_string));
        }
        looked.beside = self.beside(wanted, nothing).await;
        if kind != Kind::Cname {
            return;
        }
        let right =
            matches!(&wanted.data, Data::Cname(target) if answer.cname.as_ref() == Some(target));
        if nothing {
            looked.addresses = self.addresses(&wanted.name).await;
        }
        let nowhere = nothing && looked.addresses.as_ref().is_ok_and(Vec::is_empty);
        if !right && !nowhere {
            let addresses = looked.addresses.clone().unwrap_or_default();
            looked.wildcard = self.is_wildcard(wanted, &answer, &addresses).await;
            looked.leads = self.leads(wanted, &answer).await;
        }
    }

    /// Records that were meant to be the wanted one. Only what is found counts; a failed look-up
    /// here claims nothing.
    async fn beside(&self, wanted: &Wanted, nothing: bool) -> Vec<(Domain, Found)> {
        let mut places: Vec<(Domain, Kind)> = Vec::new();
        match wanted.purpose {
            Purpose::Dkim | Purpose::Certificate if nothing => {
                places.push((wanted.name.clone(), Kind::Txt));
            }
            Purpose::Dmarc => {
                let domain = wanted.name.parent();
                places.extend(
                    domain.clone().and_then(|at| at.below("dmarc").ok()).map(|at| (at, Kind::Txt)),
                );
                places.extend(domain.map(|at| (at, Kind::Txt)));
            }
            Purpose::Spf if nothing => {
                places.extend(wanted.name.parent().map(|at| (at, Kind::Txt)));
            }
            _ => {}
        }
        let mut beside = Vec::new();
        for (at, kind) in places {
            if let Ok(answer) = self.follow(&at, kind).await {
                beside.extend(answer.found.into_iter().map(|found| (at.clone(), found)));
            }
        }
        beside
    }

    /// Whether a name beside it, which is surely not set, answers likewise.
    async fn is_wildcard(&self, wanted: &Wanted, answer: &Answer, at: &[IpAddr]) -> bool {
        let Some(Ok(name)) = wanted.name.parent().map(|parent| parent.below(UNUSED)) else {
            return false;
        };
        if answer.cname.is_some() {
            let other = self.answer(&name, Kind::Cname).await;
            return other.is_ok_and(|other| other.cname == answer.cname);
        }
        self.addresses(&name).await.is_ok_and(|other| !other.is_empty() && other == at)
    }

    /// Whether visitors reach the target of a site through further CNAMEs. A proof for a
    /// certificate or a key has to be at its own name.
    async fn leads(&self, wanted: &Wanted, answer: &Answer) -> bool {
        let (Data::Cname(target), Purpose::Site | Purpose::Api, Some(first)) =
            (&wanted.data, wanted.purpose, &answer.cname)
        else {
            return false;
        };
        let mut at = first.clone();
        for _ in 0..super::DEPTH {
            match self.answer(&at, Kind::Cname).await {
                Ok(Answer { cname: Some(next), .. }) if next == *target => return true,
                Ok(Answer { cname: Some(next), .. }) => at = next,
                _ => return false,
            }
        }
        false
    }

    /// What the record alone does not say.
    async fn look_around(&self, wanted: &Wanted, looked: &mut Looked) {
        match wanted.purpose {
            Purpose::Certificate => {
                if let Some(domain) = wanted.name.parent() {
                    looked.caa = self.caa(domain).await;
                }
            }
            Purpose::Spf => looked.spf = Some(self.spf(&wanted.name).await),
            Purpose::Dmarc => {
                let domain = wanted.name.parent().map(|domain| domain.organisational());
                if let Some(Ok(above)) = domain.map(|domain| domain.below("_dmarc"))
                    && above != wanted.name
                {
                    looked.organisation = self.texts(&above).await;
                }
            }
            _ => {}
        }
    }

    /// RFC 8659, section 3: the rules at the domain, else at the next one above it.
    async fn caa(&self, domain: Domain) -> Result<Option<(Domain, Vec<Found>)>, Trouble> {
        let mut at = Some(domain);
        while let Some(name) = at {
            let rules = match self.follow(&name, Kind::Caa).await {
                Ok(answer) => answer.found,
                // A CNAME to a domain that is not there leads to no rules.
                Err(Trouble::Undelegated { .. }) => Vec::new(),
                Err(trouble) => return Err(trouble),
            };
            if !rules.is_empty() {
                return Ok(Some((name, rules)));
            }
            at = name.parent().filter(|parent| parent.registrable().is_some());
        }
        Ok(None)
    }

    /// The walk of RFC 7208, with what is in the DNS now.
    async fn spf(&self, domain: &Domain) -> Result<spf::Report, Trouble> {
        let mut walk = spf::Walk::new(domain);
        while let Some(need) = walk.next().cloned() {
            let seen = match need.what {
                spf::What::Texts => spf::Seen::Texts(self.texts_or_none(&need.name).await?),
                spf::What::Addresses => {
                    spf::Seen::Count(self.count(&need.name, &[Kind::A, Kind::Aaaa]).await?)
                }
                spf::What::Mx => spf::Seen::Count(self.count(&need.name, &[Kind::Mx]).await?),
            };
            walk.feed(seen);
        }
        Ok(walk.report())
    }

    /// How many records of these kinds a name has. One that is not registered has none.
    async fn count(&self, name: &Domain, kinds: &[Kind]) -> Result<usize, Trouble> {
        let mut count = 0;
        for kind in kinds {
            count += match self.follow(name, *kind).await {
                Ok(answer) => answer.found.len(),
                Err(Trouble::Undelegated { .. }) => 0,
                Err(trouble) => return Err(trouble),
            };
        }
        Ok(count)
    }

    async fn texts_or_none(&self, name: &Domain) -> Result<Vec<String>, Trouble> {
        match self.texts(name).await {
            Err(Trouble::Undelegated { .. }) => Ok(Vec::new()),
            other => other,
        }
    }

    /// The texts at a name.
    pub async fn texts(&self, name: &Domain) -> Result<Vec<String>, Trouble> {
        let found = self.follow(name, Kind::Txt).await?.found;
        let text = |found| if let Found::Txt(text) = found { Some(text) } else { None };
        Ok(found.into_iter().filter_map(text).collect())
    }
}
