//! What a domain can lead to, and the certificates that it needs.

use std::fmt;

use galaxy_mail::name::Domain;
use galaxy_sites::Site;

use super::Place;

/// What a domain of the person's can lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Front {
    /// One of the sites.
    Site(Site),
    /// The API.
    Api,
}

impl Front {
    /// All of them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        Site::ALL.into_iter().map(Self::Site).chain([Self::Api]).collect()
    }

    /// The site's name, or `api`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Site(site) => site.name(),
            Self::Api => "api",
        }
    }

    /// Finds one by its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|front| front.name() == name)
    }

    /// Where its certificate has to be: `CloudFront` takes those of us-east-1 only.
    #[must_use]
    pub fn place(self) -> Place {
        match self {
            Self::Site(_) => Place::Edge,
            Self::Api => Place::Home,
        }
    }
}

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A certificate that this galaxy asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// Its domain.
    pub domain: Domain,
    /// Its status.
    pub state: CertificateState,
    /// The record that proves the domain, name and value; nothing in its first seconds.
    pub proof: Option<(Domain, Domain)>,
    /// When it was requested, in seconds since 1970.
    pub asked: Option<u64>,
    /// When it ends, in seconds since 1970.
    pub ends: Option<u64>,
    /// Whether something works with it.
    pub in_use: bool,
    /// The value of its tag `spaceduck:id`.
    pub mark: Option<String>,
}

/// The status of a certificate.
///
/// Source: `CertificateDetail`, AWS Certificate Manager API Reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// Amazon waits for the record that proves the domain.
    Waiting,
    /// It is good.
    Issued,
    /// It will never be issued; why.
    Failed(String),
    /// It was good and is no longer; why.
    Over(String),
    /// A word that this version does not know.
    Other(String),
}

impl Certificate {
    /// Whether it is good, or was and is better than none.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        matches!(self.state, CertificateState::Issued | CertificateState::Over(_))
    }

    /// The best of several comes last.
    #[must_use]
    pub fn rank(&self) -> (u8, Option<u64>, Option<u64>) {
        let state = match self.state {
            CertificateState::Issued => 4,
            CertificateState::Waiting => 3,
            CertificateState::Other(_) => 2,
            CertificateState::Over(_) => 1,
            CertificateState::Failed(_) => 0,
        };
        (state, self.ends, self.asked)
    }
}
