//! The part of `galaxy.yaml` that is about the domains of sites and API.

use std::collections::BTreeMap;

use galaxy_mail::name::Domain;

use super::document::Value;
use super::{Config, Reader};
use crate::model::{Certificate, Front, Place};

/// Seconds for which browsers insist on TLS while a domain is young, and once it has served.
const HSTS: (i64, i64) = (300, 31_536_000);
/// How long a domain has to serve before that is raised: a day.
const PROBATION: u64 = 86_400;

/// The domains of sites and API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// What the file says.
    pub names: BTreeMap<Front, Domain>,
    /// What was seen in the account of each; not from the file.
    pub seen: BTreeMap<Front, Served>,
    /// Certificates of ours that nothing needs any more, and where they are; not from the file.
    pub stale: Vec<(Place, String)>,
    /// Whether this galaxy has or had domains in the account; not from the file.
    pub noted: bool,
}

/// What was seen of a domain before anything is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Its best certificate.
    pub certificate: Option<Certificate>,
    /// The one that can be worked with.
    pub usable: Option<String>,
    /// Whether that one is at work.
    pub attached: bool,
    /// Whether the domain answers over TLS right now.
    pub answers: bool,
    /// Since when it was seen to, in seconds since 1970.
    pub since: Option<u64>,
    /// When that was looked at, in seconds since 1970.
    pub at: u64,
}

impl Domains {
    /// Domain and certificate, where both are there.
    #[must_use]
    pub fn attach(&self, front: Front) -> Option<(&Domain, &str)> {
        let arn = self.seen.get(&front)?.usable.as_deref()?;
        Some((self.names.get(&front)?, arn))
    }

    /// The domain, once it answers: only then is it published.
    #[must_use]
    pub fn answering(&self, front: Front) -> Option<&Domain> {
        let served = self.seen.get(&front)?;
        served.since.and_then(|_| self.names.get(&front))
    }

    /// Whether a domain of that name has answered before.
    #[must_use]
    pub fn has_served(&self, domain: &Domain) -> bool {
        let is_it = |(_, name): &(&Front, &Domain)| *name == domain;
        let front = self.names.iter().find(is_it).map(|(front, _)| *front);
        front.is_some_and(|front| self.answering(front).is_some())
    }

    /// How long browsers shall insist on TLS. Short at first: they remember it, and it can't be
    /// taken back.
    #[must_use]
    pub fn hsts(&self, front: Front) -> i64 {
        let served = self.seen.get(&front);
        let long = served.is_some_and(|served| {
            served.since.is_some_and(|since| served.at.saturating_sub(since) >= PROBATION)
        });
        if long { HSTS.1 } else { HSTS.0 }
    }
}

/// Amazon's own zones, in which no one else can prove ownership of a name.
const AMAZON: [&str; 6] =
    ["amazonaws.com", "amazonaws.com.cn", "cloudfront.net", "cloudfront.cn", "awsapps.com", "aws"];

/// The name on a certificate may have this many characters.
/// Source: `RequestCertificate`, AWS Certificate Manager API Reference.
const LONGEST: usize = 64;

impl Reader<'_> {
    pub(super) fn domains(&mut self, value: &Value, config: &mut Config) {
        for (key, value) in self.map(value) {
            let Some(front) = Front::parse(&key.text) else {
                let known: Vec<&str> = Front::all().into_iter().map(Front::name).collect();
                self.unknown(&key, &known);
                continue;
            };
            // A key without a value is not filled in yet.
            if value.null {
                continue;
            }
            let Some(domain) = self.noun(&value, host) else { continue };
            let twice = config.domains.names.iter().find(|(_, known)| **known == domain);
            if let Some((other, _)) = twice {
                let message = format!("`{domain}` is already the domain of `{other}`");
                let cure = format!("give each its own, such as `{}.{domain}`", front.name());
                self.mistake(&value, message, Some(cure));
                continue;
            }
            config.domains.names.insert(front, domain);
        }
    }

    /// A shield has an address of its own, which no domain leads to.
    pub(super) fn domains_beside_shield(&mut self, value: &Value, config: &Config) {
        for (key, value) in self.map(value) {
            if config.shield.is_on() && Front::parse(&key.text) == Some(Front::Api) && !value.null {
                let message = "`domains.api` does not go with `api.shield`".to_owned();
                let cure = "take one of the two out: behind a shield, the API has the address that \
                            CloudFront gives it";
                self.mistake(&value, message, Some(cure.into()));
            }
        }
    }

    /// What the two sections may not both have.
    pub(super) fn domains_beside_mail(&mut self, value: &Value, config: &Config) {
        let mail = &config.mail;
        let bounces = mail.domain.as_ref().and_then(|domain| domain.below(&mail.bounce).ok());
        for (key, value) in self.map(value) {
            let front = Front::parse(&key.text);
            let domain = front.and_then(|front| config.domains.names.get(&front));
            if domain.is_some() && domain == bounces.as_ref() {
                let message = format!("`{}` is where bounces go", value.text);
                let cure = "a name that leads to a site can't have a mail server too: take another \
                            one here, or as `mail.bounce`";
                self.mistake(&value, message, Some(cure.into()));
            }
        }
    }
}

fn host(text: &str) -> Result<Domain, String> {
    if text.contains("://") || text.contains('/') {
        return Err(format!("`{text}` is an address; write its host alone, such as `example.org`"));
    }
    if text.starts_with("*.") {
        return Err(format!("`{text}` is a pattern; one domain leads to one site: name it whole"));
    }
    if text.ends_with('.') {
        return Err(format!("`{text}` has a dot at its end; write it without"));
    }
    let plain = Domain::parse(text).map_err(|error| error.to_string())?;
    let amazons = |zone: &&&str| Domain::parse(zone).is_ok_and(|zone| plain.is_within(&zone));
    if let Some(zone) = AMAZON.iter().find(amazons) {
        return Err(format!("`{text}` lies in Amazon's own zone {zone}; write a domain of yours"));
    }
    let domain = Domain::parse_host(text).map_err(|error| error.to_string())?;
    if domain.as_str().len() > LONGEST {
        return Err(format!(
            "`{text}` is too long for a certificate, which takes {LONGEST} characters"
        ));
    }
    Ok(domain)
}

#[cfg(test)]
mod tests {
    use galaxy_sites::Site;

    use super::{Domains, Served};
    use crate::config::{Environment, parse};
    use crate::model::Front;

    fn fails(text: &str) -> String {
        parse("galaxy.yaml", text, &Environment::default()).expect_err(text).to_text()
    }

    #[test]
    fn any_of_the_six_may_have_a_domain() {
        let text = "domains:\n  duckgalaxy: Docs.Example.ORG\n  api: api.example.org\n  \
                    duckcontrol:\n";
        let config = parse("galaxy.yaml", text, &Environment::default()).expect(text);
        let names = &config.domains.names;
        assert_eq!(names.len(), 2);
        assert_eq!(names[&Front::Api].as_str(), "api.example.org");
        assert_eq!(names[&Front::Site(Site::DuckGalaxy)].as_str(), "docs.example.org");
        for front in Front::all() {
            let text = format!("domains: {{{}: example.org}}", front.name());
            let config = parse("galaxy.yaml", &text, &Environment::default()).expect(&text);
            assert_eq!(config.domains.names.len(), 1, "{front}");
        }
    }

    #[test]
    fn every_mistake_about_domains_is_told_at_its_place() {
        insta::assert_snapshot!(fails(
            "mail:\n  domain: example.org\ndomains:\n  mightyspaceduck: co.uk\n  duckgalaxy: \
             https://example.org/\n  duckcontrl: a.example.org\n  spaceduckling: \
             bounce.example.org\n  spaceduck-bot: api.example.org\n  api: api.example.org\n"
        ));
        insta::assert_snapshot!(fails(&format!(
            "domains:\n  mightyspaceduck: d111.cloudfront.net\n  duckgalaxy: '*.example.org'\n  \
             duckcontrol: münchen.example\n  spaceduckling: 192.0.2.1\n  spaceduck-bot: \
             example.org.\n  api: {}.example.org\n",
            "a".repeat(60)
        )));
        insta::assert_snapshot!(fails("domains: example.org\n"));
    }

    #[test]
    fn browsers_insist_for_a_year_only_after_a_day() {
        let front = Front::Api;
        let after = |seconds: Option<u64>| {
            let since = seconds.map(|_| 1_000);
            let at = 1_000 + seconds.unwrap_or_default();
            let served = Served { since, at, ..Served::default() };
            Domains { seen: [(front, served)].into(), ..Domains::default() }.hsts(front)
        };
        assert_eq!(after(None), 300);
        assert_eq!(after(Some(86_399)), 300);
        assert_eq!(after(Some(86_400)), 31_536_000);
        assert_eq!(Domains::default().hsts(front), 300);
    }
}
