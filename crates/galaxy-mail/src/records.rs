//! Every DNS record that a galaxy with domains wants, in one list.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use crate::name::{Domain, Invalid};

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// Another name for.
    Cname(Domain),
    /// Like a CNAME, at the top of a zone, where there can be none: ALIAS, ANAME or a flattened
    /// CNAME, as the provider calls it.
    Alias(Domain),
    /// A mail server.
    Mx(u16, Domain),
    /// A text.
    Txt(String),
}

impl Data {
    /// The record's type as DNS panels call it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cname(_) => "CNAME",
            Self::Alias(_) => "ALIAS",
            Self::Mx(..) => "MX",
            Self::Txt(_) => "TXT",
        }
    }

    /// The record's value as DNS panels take it: no dot at the end, no quotes.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Cname(target) | Self::Alias(target) => target.to_string(),
            Self::Mx(preference, host) => format!("{preference} {host}"),
            Self::Txt(text) => text.clone(),
        }
    }
}

/// The purpose of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Proves to the certificate authority that the domain is yours. Stays for every renewal.
    Certificate,
    /// The signature of mails.
    Dkim,
    /// Where bounces go.
    MailFrom,
    /// Who may send for the domain that bounces go to.
    Spf,
    /// What receivers do with mail that only claims to be yours.
    Dmarc,
    /// Leads people to a site.
    Site,
    /// Leads programs to the API.
    Api,
}

impl Purpose {
    /// In a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Dkim => "DKIM",
            Self::MailFrom => "MAIL FROM",
            Self::Spf => "SPF",
            Self::Dmarc => "DMARC",
            Self::Site => "site",
            Self::Api => "API",
        }
    }
}

/// A record as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Its purpose.
    pub purpose: Purpose,
    /// Its full name.
    pub name: Domain,
    /// What it says.
    pub data: Data,
}

impl Serialize for Wanted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut record = serializer.serialize_struct("Wanted", 5)?;
        record.serialize_field("name", &self.name)?;
        record.serialize_field("type", self.data.kind())?;
        record.serialize_field("value", &self.data.value())?;
        record.serialize_field("ttl", &TTL)?;
        record.serialize_field("purpose", &self.purpose)?;
        record.end()
    }
}

/// TTL in seconds. Short: after a typo no one has to wait for a day.
pub const TTL: u32 = 300;

/// The zones known to exist. Where that was not checked, the registered domain counts as the zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zones(pub BTreeSet<Domain>);

impl Zones {
    /// The zone of a name.
    #[must_use]
    pub fn of(&self, name: &Domain) -> Domain {
        let known = self.0.iter().filter(|zone| name.is_within(zone));
        let longest = known.max_by_key(|zone| zone.as_str().len());
        longest.cloned().unwrap_or_else(|| name.organisational())
    }
}

/// The mail domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The part after the `@`.
    pub domain: Domain,
    /// Where bounces go: a name below it that is used for nothing else.
    pub mail_from: Domain,
    /// The Region that SES sends from.
    pub region: String,
    /// The names and values that SES made for DKIM; none before the identity is there.
    pub dkim: Vec<(Domain, Domain)>,
    /// The address for receivers' reports; without one there are none.
    pub reports: Option<String>,
}

/// A domain that leads somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Whether it is a site or the API.
    pub purpose: Purpose,
    /// The domain.
    pub domain: Domain,
    /// Where it leads: the name that AWS gave; none before it is there.
    pub target: Option<Domain>,
    /// The certificate authority's validation record: name and value; none before the request.
    pub validation: Option<(Domain, Domain)>,
    /// Whether its zone can have an alias at every name, as Route 53 can.
    pub alias: bool,
}

/// All domains of a galaxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// The mail domain.
    pub mail: Option<Mail>,
    /// Sites and API.
    pub fronts: Vec<Front>,
}

impl Domains {
    /// Every record, each once, in the order of what is most urgent.
    pub fn wanted(&self, zones: &Zones) -> Result<Vec<Wanted>, Invalid> {
        let mut wanted = Vec::new();
        for front in &self.fronts {
            if let Some((name, value)) = &front.validation {
                let data = Data::Cname(value.clone());
                wanted.push(Wanted { purpose: Purpose::Certificate, name: name.clone(), data });
            }
            if let Some(target) = &front.target {
                let top = zones.of(&front.domain) == front.domain;
                let data = if top || front.alias { Data::Alias } else { Data::Cname };
                let (purpose, name) = (front.purpose, front.domain.clone());
                wanted.push(Wanted { purpose, name, data: data(target.clone()) });
            }
        }
        if let Some(mail) = &self.mail {
            wanted.extend(mail.wanted()?);
        }
        wanted.sort();
        // Two names on one certificate may share the record that proves them.
        wanted.dedup();
        Ok(wanted)
    }
}

impl Mail {
    fn wanted(&self) -> Result<Vec<Wanted>, Invalid> {
        let record = |purpose, name: &Domain, data| Wanted { purpose, name: name.clone(), data };
        let mut wanted: Vec<Wanted> = self
            .dkim
            .iter()
            .map(|(name, value)| record(Purpose::Dkim, name, Data::Cname(value.clone())))
            .collect();
        let feedback = Domain::parse(&format!("feedback-smtp.{}.amazonses.com", self.region))?;
        wanted.push(record(Purpose::MailFrom, &self.mail_from, Data::Mx(10, feedback)));
        // The domain behind the `@` needs no SPF record: SPF is about the one bounces go to.
        let spf = "v=spf1 include:amazonses.com ~all".to_owned();
        wanted.push(record(Purpose::Spf, &self.mail_from, Data::Txt(spf)));
        let reports = self.reports.as_ref().map(|to| format!(" rua=mailto:{to};"));
        let dmarc = format!("v=DMARC1; p=none;{}", reports.unwrap_or_default());
        let name = self.domain.below("_dmarc")?;
        wanted.push(record(Purpose::Dmarc, &name, Data::Txt(dmarc)));
        Ok(wanted)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Data, Domains, Front, Mail, Purpose, Zones};
    use crate::name::Domain;

    pub(crate) fn name(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    /// A galaxy with everything: a site at the top of a zone, one below, the API, and mail.
    pub(crate) fn everything() -> Domains {
        let front = |purpose, domain: &str, target: &str| Front {
            purpose,
            domain: name(domain),
            target: Some(name(target)),
            validation: Some((
                name(&format!("_3f1.{domain}")),
                name("_9c2.mhbtsbpdnt.acm-validations.aws"),
            )),
            alias: false,
        };
        let dkim = ["tok1", "tok2", "tok3"].map(|token| {
            (name(&format!("{token}._domainkey.example.org")), name(&format!("{token}.dkim.zone")))
        });
        Domains {
            mail: Some(Mail {
                domain: name("example.org"),
                mail_from: name("bounce.example.org"),
                region: "eu-central-1".into(),
                dkim: dkim.to_vec(),
                reports: Some("reports@example.org".into()),
            }),
            fronts: vec![
                front(Purpose::Site, "example.org", "d111.cloudfront.net"),
                front(Purpose::Site, "control.example.org", "d222.cloudfront.net"),
                front(
                    Purpose::Api,
                    "api.duck.example",
                    "d-1.execute-api.eu-central-1.amazonaws.com",
                ),
            ],
        }
    }

    #[test]
    fn everything_is_wanted_once() {
        let wanted = everything().wanted(&Zones::default()).unwrap();
        let count = |purpose| wanted.iter().filter(|record| record.purpose == purpose).count();
        let counts = [
            Purpose::Certificate,
            Purpose::Dkim,
            Purpose::MailFrom,
            Purpose::Spf,
            Purpose::Dmarc,
            Purpose::Site,
            Purpose::Api,
        ]
        .map(count);
        assert_eq!(counts, [3, 3, 1, 1, 1, 2, 1]);
        let mut twice = everything();
        twice.fronts.extend(everything().fronts);
        assert_eq!(twice.wanted(&Zones::default()).unwrap(), wanted);
    }

    #[test]
    fn the_top_of_a_zone_gets_no_cname() {
        let wanted = everything().wanted(&Zones::default()).unwrap();
        let at = |domain: &str| {
            let here = |purpose| purpose == Purpose::Site;
            wanted.iter().find(|r| here(r.purpose) && r.name == name(domain)).unwrap().data.clone()
        };
        assert_eq!(at("example.org"), Data::Alias(name("d111.cloudfront.net")));
        assert_eq!(at("control.example.org"), Data::Cname(name("d222.cloudfront.net")));
    }

    #[test]
    fn where_there_can_be_an_alias_at_every_name_it_is_one() {
        let mut fronts = everything();
        fronts.fronts[1].alias = true;
        let wanted = fronts.wanted(&Zones::default()).unwrap();
        let alias = Data::Alias(name("d222.cloudfront.net"));
        assert!(wanted.iter().any(|record| record.data == alias));
    }

    #[test]
    fn nor_does_the_top_of_a_delegated_zone() {
        let zones = Zones([name("control.example.org")].into());
        let wanted = everything().wanted(&zones).unwrap();
        let alias = Data::Alias(name("d222.cloudfront.net"));
        assert!(wanted.iter().any(|record| record.data == alias));
    }

    #[test]
    fn what_aws_has_not_told_yet_is_not_made_up() {
        let mut early = everything();
        early.mail.as_mut().unwrap().dkim.clear();
        for front in &mut early.fronts {
            (front.target, front.validation) = (None, None);
        }
        let left: Vec<_> =
            early.wanted(&Zones::default()).unwrap().into_iter().map(|r| r.purpose).collect();
        assert_eq!(left, [Purpose::MailFrom, Purpose::Spf, Purpose::Dmarc]);
    }
}
