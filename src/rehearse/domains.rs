//! Certificates of the account in memory: asked for, proved, issued, failed.

use std::time::Duration;

use async_trait::async_trait;
use galaxy_mail::judge::State as RecordState;
use galaxy_mail::name::Domain;

use super::services::DAY;
use super::{Account, State, refuse};
use crate::failure::Failure;
use crate::model::{Certificate, CertificateState, GalaxyName, ID_TAG, Place, TAG, Tags};
use crate::ports::Certificates;

/// From the record being there to the certificate.
const ISSUE: Duration = Duration::from_mins(2);
/// How long Amazon waits for the record.
/// Source: "DNS validation", AWS Certificate Manager User Guide.
const PATIENCE: Duration = Duration::from_hours(72);
/// How long an issued one is good.
const GOOD: Duration = Duration::from_hours(198 * 24);

/// What becomes of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is issued as soon as its record was there for a while.
    Issued,
    /// Amazon refuses it, with this reason.
    Refused(String),
    /// It was issued, and is over.
    Over(String),
}

/// A requested certificate.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    place: Place,
    pub(super) tags: Tags,
    pub(super) domain: Domain,
    token: String,
    arn: String,
    at: Duration,
    /// When its record was first seen; it stays proved.
    proved: Option<Duration>,
}

impl Asked {
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// Name and value of the record that proves it; the same for a domain every time.
    fn proof(&self) -> Option<(Domain, Domain)> {
        let name = self.domain.below("_3f1c0a9b").ok()?;
        Some((name, Domain::parse("_7d2e.acm-validations.aws").ok()?))
    }
}

impl Account {
    /// Others ask for a certificate.
    pub(super) fn foreign(&self, state: &mut State, place: Place, domain: &str, tags: Tags) {
        let number = state.asked_certificates;
        state.asked_certificates += 1;
        let Ok(domain) = Domain::parse(domain) else { return };
        let arn = format!("arn:aws:acm:{place:?}:certificate/{domain}-{number}");
        let at = self.time(state);
        state.certificates.push(Asked {
            place,
            tags,
            domain,
            token: arn.clone(),
            arn,
            at,
            proved: None,
        });
    }

    /// Says what becomes of every certificate for a domain.
    pub fn destine(&self, domain: &Domain, fate: Fate) {
        self.state().fates.insert(domain.clone(), fate);
    }

    /// Something else works with the certificates of a domain.
    pub fn hold(&self, domain: &Domain) {
        self.state().held.insert(domain.clone());
    }

    /// A distribution of another account has a domain, or gives it back.
    pub fn take_elsewhere(&self, domain: &Domain, taken: bool) {
        let elsewhere = &mut self.state().elsewhere;
        if taken {
            elsewhere.insert(domain.clone());
        } else {
            elsewhere.remove(domain);
        }
    }

    /// Whether a domain leads to where it should.
    pub(super) fn leads(&self, domain: &str, kinds: &[&'static str]) -> bool {
        let now = Self::now(self);
        let state = self.state();
        let Ok(domain) = Domain::parse(domain) else { return false };
        let found = kinds.iter().find_map(|kind| state.post.records.get(&(domain.clone(), *kind)));
        match (found, state.zones.is_set(&domain)) {
            (Some(found), _) => *found == RecordState::Right,
            (None, Some(set)) => set,
            (None, None) => state.post.is_open(now.as_secs()),
        }
    }

    /// How a certificate is at this moment.
    fn standing(&self, asked: &mut Asked) -> CertificateState {
        let now = Self::now(self);
        let fate = self.state().fates.get(&asked.domain).cloned().unwrap_or(Fate::Issued);
        match fate {
            Fate::Refused(why) => return CertificateState::Failed(why),
            Fate::Over(why) => return CertificateState::Over(why),
            Fate::Issued => {}
        }
        let name = asked.proof().map(|(name, _)| name.to_string()).unwrap_or_default();
        if asked.proved.is_none() && self.leads(&name, &["CNAME"]) {
            asked.proved = Some(now);
        }
        match asked.proved {
            Some(at) if now >= at.max(asked.at) + ISSUE => CertificateState::Issued,
            None if now >= asked.at + PATIENCE => {
                CertificateState::Failed("its record was not there for 72 hours".into())
            }
            _ => CertificateState::Waiting,
        }
    }
}

#[async_trait]
impl Certificates for Account {
    async fn ours(&self, place: Place, galaxy: &GalaxyName) -> Result<Vec<Certificate>, Failure> {
        self.may("Certificates::ours")?;
        self.hear()?;
        let mut asked = self.state().certificates.clone();
        let mut ours = Vec::new();
        for one in &mut asked {
            let state = self.standing(one);
            let is_ours = one.tags.get(TAG).is_some_and(|name| name == galaxy.as_str());
            if one.place == place && is_ours {
                let at = DAY + one.at.as_secs();
                ours.push(Certificate {
                    arn: one.arn.clone(),
                    domain: one.domain.clone(),
                    ends: (state == CertificateState::Issued).then(|| at + GOOD.as_secs()),
                    state,
                    proof: one.proof(),
                    asked: Some(at),
                    in_use: self.is_held(&one.arn, &one.domain),
                    mark: one.tags.get(ID_TAG).cloned(),
                });
            }
        }
        // Others ask for certificates meanwhile: only what was found out is written down.
        for one in &mut self.state().certificates {
            let seen = asked.iter().find(|seen| seen.place == one.place && seen.arn == one.arn);
            one.proved = one.proved.or(seen.and_then(|seen| seen.proved));
        }
        Ok(ours)
    }

    async fn request(
        &self,
        place: Place,
        tags: &Tags,
        domain: &Domain,
        token: &str,
    ) -> Result<(), Failure> {
        self.may("Certificates::request")?;
        let at = Self::now(self);
        if token.len() > 32 {
            return Err(refuse("that token is too long".into()));
        }
        self.effect(format!("request a certificate for {domain}"), |state| {
            let same = |one: &Asked| one.place == place && one.token == token;
            if state.certificates.iter().any(same) {
                return Ok(());
            }
            let number = state.asked_certificates;
            state.asked_certificates += 1;
            state.certificates.push(Asked {
                place,
                tags: tags.clone(),
                domain: domain.clone(),
                token: token.to_owned(),
                arn: format!("arn:aws:acm:{place:?}:certificate/{domain}-{number}"),
                at,
                proved: None,
            });
            Ok(())
        })
    }

    async fn remove(&self, place: Place, arn: &str) -> Result<bool, Failure> {
        self.may("Certificates::remove")?;
        let held = {
            let asked = self.state().certificates.iter().find(|one| one.arn == arn).cloned();
            asked.is_some_and(|one| self.is_held(arn, &one.domain))
        };
        self.effect(format!("remove {arn}"), |state| {
            if held {
                return Ok(false);
            }
            state.certificates.retain(|one| one.place != place || one.arn != arn);
            Ok(true)
        })
    }
}

impl Account {
    /// Whether a certificate is in use, by a stack or elsewhere.
    fn is_held(&self, arn: &str, domain: &Domain) -> bool {
        let now = Self::now(self);
        let state = self.state();
        let stacks = state.stacks.iter().filter(|stack| stack.is_there(now));
        let uses = |stack: &super::sim::Sim| stack.proposal.body.contains(arn);
        state.held.contains(domain) || stacks.into_iter().any(uses)
    }
}
