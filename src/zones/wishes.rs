//! What is wanted, as Route 53 has it: records of one name and type, and aliases instead of CNAMEs.

use galaxy_mail::name::Domain;
use galaxy_mail::records::{Data, Purpose, TTL, Wanted};
use galaxy_mail::sheet;

use crate::catalog;
use crate::config::Config;
use crate::domains;
use crate::failure::Failure;
use crate::mail;
use crate::model::{Front, Part, RecordSet, Region, Says};
use crate::ports::World;

/// The zone of all distributions.
/// Source: `AliasTarget`, Amazon Route 53 API Reference.
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";

/// Something that is wanted, whether it is known yet what it says or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) part: Part,
    pub(super) purpose: Purpose,
    /// The domain that it is about.
    pub(super) domain: Domain,
    /// The record, once it is known.
    pub(super) wanted: Option<Wanted>,
    /// The zone of the name that an alias leads to.
    pub(super) alias: Option<String>,
}

impl Wish {
    /// Its name, or one near it.
    pub(super) fn name(&self) -> &Domain {
        self.wanted.as_ref().map_or(&self.domain, |wanted| &wanted.name)
    }

    /// The types of records that it comes to.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        match (&self.wanted, self.purpose) {
            (_, Purpose::Site) => vec!["A", "AAAA"],
            // The gateway has IPv4 addresses only.
            (_, Purpose::Api) => vec!["A"],
            (Some(wanted), _) => vec![wanted.data.kind()],
            (None, _) => vec!["CNAME"],
        }
    }

    /// The records that it comes to.
    pub(super) fn sets(&self) -> Vec<RecordSet> {
        let Some(wanted) = &self.wanted else { return Vec::new() };
        let values = |value: String| Says::Values { ttl: i64::from(TTL), values: vec![value] };
        let says = match (&wanted.data, &self.alias) {
            (Data::Alias(target), Some(zone)) => {
                Says::Alias { zone: zone.clone(), target: target.clone(), watched: false }
            }
            (Data::Cname(target) | Data::Alias(target), _) => values(format!("{target}.")),
            (Data::Mx(preference, host), _) => values(format!("{preference} {host}.")),
            (Data::Txt(text), _) => values(sheet::strings(text)),
        };
        let set = |kind: &'static str| RecordSet {
            name: wanted.name.clone(),
            kind: kind.to_owned(),
            says: says.clone(),
        };
        self.kinds().into_iter().map(set).collect()
    }
}

/// Everything that is wanted of a part.
pub(super) async fn of(
    world: &World,
    config: &Config,
    region: &Region,
    part: Part,
) -> Result<Vec<Wish>, Failure> {
    match part {
        Part::Proofs => Ok(proofs(config)),
        Part::Addresses => addresses(world, config).await,
        Part::Mail => of_mail(world, config, region).await,
    }
}

fn proofs(config: &Config) -> Vec<Wish> {
    let one = |(front, domain): (&Front, &Domain)| {
        let served = config.domains.seen.get(front);
        let proof = served.and_then(|served| served.certificate.as_ref()?.proof.clone());
        let wanted = proof.map(|(name, value)| Wanted {
            purpose: Purpose::Certificate,
            name,
            data: Data::Cname(value),
        });
        let (part, purpose, domain) = (Part::Proofs, Purpose::Certificate, domain.clone());
        Wish { part, purpose, domain, wanted, alias: None }
    };
    config.domains.names.iter().map(one).collect()
}

async fn addresses(world: &World, config: &Config) -> Result<Vec<Wish>, Failure> {
    let mut wishes = Vec::new();
    for (front, domain) in &config.domains.names {
        // It has a target only once its certificate was issued.
        if !catalog::is_wanted(catalog::stack_of(*front), config) {
            continue;
        }
        let told = domains::outputs(world, config, *front).await?;
        let (purpose, target, zone) = match front {
            Front::Site(_) => {
                (Purpose::Site, told.get("DistributionDomain"), Some(CLOUDFRONT.to_owned()))
            }
            Front::Api => (
                Purpose::Api,
                told.get("RegionalDomainName"),
                told.get("RegionalHostedZoneId").cloned(),
            ),
        };
        let target = target.and_then(|target| Domain::parse(target).ok());
        let wanted = target.filter(|_| zone.is_some()).map(|target| Wanted {
            purpose,
            name: domain.clone(),
            data: Data::Alias(target),
        });
        let (part, domain) = (Part::Addresses, domain.clone());
        wishes.push(Wish { part, purpose, domain, wanted, alias: zone });
    }
    Ok(wishes)
}

async fn of_mail(world: &World, config: &Config, region: &Region) -> Result<Vec<Wish>, Failure> {
    let Some(domain) = &config.mail.domain else { return Ok(Vec::new()) };
    let identity = world.mail.identity(domain).await?;
    let wish = |purpose, wanted| Wish {
        part: Part::Mail,
        purpose,
        domain: domain.clone(),
        wanted,
        alias: None,
    };
    let known = mail::records(config, region, identity.as_ref())?;
    // An identity created elsewhere may sign with a key of its own.
    let later = identity.is_none().then(|| wish(Purpose::Dkim, None));
    let known = known.into_iter().map(|wanted| wish(wanted.purpose, Some(wanted)));
    Ok(later.into_iter().chain(known).collect())
}
