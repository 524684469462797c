//! What a galaxy can be asked to do: one function per call of the Beak, over the ports.

mod certificates;
mod hatch;
mod pecks;
mod people;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

pub use self::certificates::{Opinion, Verdict};
pub use self::hatch::{Hatchling, NewEgg, SignedIn, Verification};
pub use self::pecks::NewPeck;
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::key::BeakKey;
use crate::person::hex;
use crate::ports::{
    Captcha, CertificateAuthority, Clock, Entropy, Identity, Mailer, Metrics, Person, Store,
};

/// The adapters of a home.
#[derive(Clone)]
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Passwords, codes, tokens.
    pub identity: Arc<dyn Identity>,
    /// Signs certificates.
    pub authority: Arc<dyn CertificateAuthority>,
    /// Tells people from programs; none where no captcha is set up.
    pub captcha: Option<Arc<dyn Captcha>>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What differs from galaxy to galaxy.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `iss` of its certificates: its API's base URL.
    pub issuer: String,
    /// The galaxy's version.
    pub version: String,
    /// The release of this program.
    pub release: String,
    /// How long a peck waits for its answer.
    pub peck_lifetime: Duration,
}

/// Who calls, as far as the credential says.
pub enum Credential {
    /// A duckling's agent.
    Key(BeakKey),
    /// A person's access token.
    Token(String),
}

/// A galaxy.
pub struct Galaxy {
    ports: Ports,
    settings: Settings,
}

impl Galaxy {
    /// A galaxy over the adapters of its home.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        Self { ports, settings }
    }

    /// What it was set to.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Now, to the millisecond: what is kept and what is answered are the same moment.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let now = self.ports.clock.now();
        now.replace_nanosecond(now.nanosecond() / 1_000_000 * 1_000_000).unwrap_or(now)
    }

    fn random<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.ports.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The duckling behind a credential; 401 for none.
    pub async fn duckling_of(&self, credential: &Credential) -> Result<Duckling> {
        match credential {
            Credential::Key(key) => self.duckling_by_key(key).await,
            Credential::Token(token) => {
                let person = self.person_by_token(token).await?;
                let found = self.ports.store.duckling_by_email(&person.email).await?;
                found.ok_or(BeakError::Forbidden("this account has no duckling; verify it first"))
            }
        }
    }

    /// The person behind a credential; 401 for none, 403 for a Beak Key.
    pub async fn person_of(&self, credential: &Credential) -> Result<Person> {
        match credential {
            Credential::Token(token) => self.person_by_token(token).await,
            Credential::Key(key) => {
                self.duckling_by_key(key).await?;
                Err(BeakError::Forbidden("this is for people: sign in for an access token"))
            }
        }
    }

    /// The duckling behind a Beak Key; 401 for none, 403 for an access token.
    pub async fn agent_of(&self, credential: &Credential) -> Result<Duckling> {
        match credential {
            Credential::Key(key) => self.duckling_by_key(key).await,
            Credential::Token(token) => {
                self.person_by_token(token).await?;
                Err(BeakError::Forbidden("this is for agents: it needs a Beak Key"))
            }
        }
    }

    async fn duckling_by_key(&self, key: &BeakKey) -> Result<Duckling> {
        let hash = key.hash();
        let found = self.ports.store.duckling_by_key(&hash).await?;
        // The store has looked the hash up; this comparison takes constant time and does not rest
        // on the store's idea of equality.
        found.filter(|d| hash.matches(&d.key_hash)).ok_or(BeakError::Unauthorized)
    }

    async fn person_by_token(&self, token: &str) -> Result<Person> {
        self.ports.identity.who(token).await?.ok_or(BeakError::Unauthorized)
    }

    /// An operator, or 403.
    pub async fn operator_of(&self, credential: &Credential) -> Result<Person> {
        let person = self.person_of(credential).await?;
        if person.operator {
            return Ok(person);
        }
        Err(BeakError::Forbidden("this is for operators of the galaxy"))
    }

    /// The counts, with everything put away whose time has passed.
    pub async fn metrics(&self) -> Result<Metrics> {
        let now = self.now();
        // Bounded, so that one caller never pays for a long silence: what is left over after
        // this many is put away by the next callers.
        self.ports.store.sweep(now, 100).await?;
        self.ports.store.metrics().await
    }

    /// A name for a call by which its log line is found.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.random::<10>().map_or_else(|_| "req_unknown".into(), |r| format!("req_{}", hex(&r)))
    }

    /// Whether the store answers.
    pub async fn is_operational(&self) -> bool {
        self.ports.store.metrics().await.is_ok()
    }
}
