//! What a galaxy can be asked to do: one function per call of the Beak, over the ports.

mod certificates;
mod departures;
mod guesses;
mod hatch;
mod newsletter;
mod operators;
mod others;
mod pecks;
mod people;
mod reach;
mod second_factor;
mod sessions;
mod signing_in;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

pub use self::certificates::{Opinion, Verdict};
pub use self::departures::Progress;
pub use self::hatch::{Hatchling, Laid, NewEgg, Resend, Verification};
pub use self::newsletter::NewReader;
pub use self::operators::{Inside, Status};
pub use self::others::Parties;
pub use self::pecks::NewPeck;
pub use self::people::Export;
pub use self::reach::Awaited;
use self::reach::Fresh;
pub use self::second_factor::{Enrolled, Enrolling, FactorState, SignedIn};
use self::sessions::KeptKeys;
pub use self::sessions::Tokens;
pub use self::signing_in::Reset;
use crate::access::{Caller, WINDOW, Who};
use crate::error::{BeakError, Result};
use crate::key::BeakKey;
use crate::person::hex;
use crate::ports::{
    Accounts, Alarm, Alarms, Captcha, CertificateAuthority, Clock, Entropy, Feedback, Identity,
    Journals, Limits, MailState, Mailer, Metrics, Person, Sealing, SignIns, Store, Swept, Taken,
};
use crate::sealed::{Claims, TokenKind};
use crate::tier::Tier;

/// How many lapsed entries a store looks at in one step of a sweep.
const AT_ONCE: usize = 50;

/// How many steps a sweep has. A thousand pecks a minute lapse where a thousand requests a second
/// are made.
const SWEEPS: usize = 20;

/// The adapters of a home.
#[derive(Clone)]
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Codes that were sent and guesses that were made.
    pub journals: Arc<dyn Journals>,
    /// Attempts to hatch, and whose passwords count.
    pub accounts: Arc<dyn Accounts>,
    /// Passwords, codes, sessions.
    pub identity: Arc<dyn Identity>,
    /// Which tokens count, and second factors.
    pub sign_ins: Arc<dyn SignIns>,
    /// What sealing keys come from.
    pub sealing: Arc<dyn Sealing>,
    /// Signs certificates.
    pub authority: Arc<dyn CertificateAuthority>,
    /// Tells people from programs; none where no captcha is set up.
    pub captcha: Option<Arc<dyn Captcha>>,
    /// Counts calls; none where nothing is counted.
    pub limits: Option<Arc<dyn Limits>>,
    /// Sends mail.
    pub mailer: Arc<dyn Mailer>,
    /// What came back of it.
    pub feedback: Arc<dyn Feedback>,
    /// What rings when something is wrong; none on one machine.
    pub alarms: Option<Arc<dyn Alarms>>,
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
    /// The published version of the Lambda function; none on one machine.
    pub function_version: Option<String>,
    /// How long a peck waits for its answer.
    pub peck_lifetime: Duration,
    /// Calls whose work differs with the address answer at a multiple of this time, so that the
    /// time says nothing about the address.
    pub answer_step: Duration,
    /// Whether operators need a second factor to act as operators.
    pub operators_need_factor: bool,
}

/// What an operator without the second factor hears that this galaxy wants.
const ENROL: &str = "this galaxy requires a second factor of operators: enrol one with \
                     `POST /beak/me/totp`, then sign in again";

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
    mail_seen: Fresh<Option<MailState>>,
    alarms_seen: Fresh<Option<Vec<Alarm>>>,
    keys_seen: KeptKeys,
}

impl Galaxy {
    /// A galaxy over the adapters of its home.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let (mail_seen, alarms_seen) = (Fresh::default(), Fresh::default());
        Self { ports, settings, mail_seen, alarms_seen, keys_seen: KeptKeys::default() }
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

    /// Who a caller is, and whether the call is for such a one: 401 for a credential that is
    /// missing or none, 403 for a good one without the right or below the tier.
    pub async fn admit(
        &self,
        credential: Option<&Credential>,
        who: Who,
        tier: Tier,
    ) -> Result<Caller> {
        let caller = match credential {
            _ if who == Who::Anyone => Caller::Anyone,
            None if who.is_open() => Caller::Anyone,
            None => return Err(BeakError::Unauthorized),
            Some(Credential::Key(key)) => self.agent(key, who).await?,
            Some(Credential::Token(token)) => self.person(token, who).await?,
        };
        match caller.duckling() {
            Some(duckling) if duckling.tier < tier => Err(BeakError::TierTooLow(tier)),
            _ => Ok(caller),
        }
    }

    async fn agent(&self, key: &BeakKey, who: Who) -> Result<Caller> {
        let hash = key.hash();
        let found = self.ports.store.duckling_by_key(&hash).await?;
        // The store has looked the hash up; this comparison takes constant time and does not rest
        // on the store's idea of equality.
        let duckling = found.filter(|d| hash.matches(&d.key_hash));
        let duckling = duckling.ok_or(BeakError::Unauthorized)?;
        // A deletion may take minutes; the key opens nothing but the deletion from its start on.
        if duckling.is_leaving && who != Who::KeyOrPersonLeaving {
            return Err(BeakError::Unauthorized);
        }
        if duckling.is_suspended() {
            return Err(BeakError::Forbidden(
                "this duckling is suspended: ask the operator of the galaxy",
            ));
        }
        match who {
            Who::Person => {
                Err(BeakError::Forbidden("this is for people: sign in for an access token"))
            }
            Who::Operator => Err(BeakError::Forbidden("this is for operators of the galaxy")),
            _ => Ok(Caller::Agent(Box::new(duckling))),
        }
    }

    async fn person(&self, token: &str, who: Who) -> Result<Caller> {
        let (opened, state) = self.checked(TokenKind::Access, token).await?;
        let Claims { account, email, operator, .. } = opened.claims;
        let wants_factor = self.settings.operators_need_factor && operator;
        let lacks_factor = wants_factor && state.factor_of(&account).is_none();
        let person = Person { account, email, operator: operator && !lacks_factor };
        let duckling = match who {
            Who::Key => {
                return Err(BeakError::Forbidden("this is for agents: it needs a Beak Key"));
            }
            Who::Operator | Who::KeyOrOperator if lacks_factor => {
                return Err(BeakError::Forbidden(ENROL));
            }
            Who::Operator | Who::KeyOrOperator if !person.operator => {
                return Err(BeakError::Forbidden("this is for operators of the galaxy"));
            }
            Who::KeyOrPerson => {
                let found = self.ports.store.duckling_by_email(&person.email).await?;
                found.filter(|duckling| !duckling.is_leaving)
            }
            _ => None,
        };
        Ok(Caller::Person(Box::new(person), duckling.map(Box::new)))
    }

    /// Whether calls are counted and refused at all.
    #[must_use]
    pub fn has_limits(&self) -> bool {
        self.ports.limits.is_some()
    }

    /// Counts a call. `None` where nothing is counted.
    pub async fn count(&self, bucket: &str, limit: u32) -> Result<Option<Taken>> {
        let Some(limits) = &self.ports.limits else { return Ok(None) };
        limits.take_leased(bucket, limit, self.now()).await.map(Some)
    }

    /// How long until calls are counted anew.
    #[must_use]
    pub fn until_next_window(&self) -> Duration {
        let since = self.now().unix_timestamp().rem_euclid(i64::from(WINDOW));
        Duration::seconds(i64::from(WINDOW) - since)
    }

    /// The counts.
    pub async fn metrics(&self) -> Result<Metrics> {
        self.ports.store.metrics(self.now()).await
    }

    /// Puts away what has lapsed, for a schedule that comes every minute.
    pub async fn sweep(&self) -> Result<Swept> {
        let now = self.now();
        let mut all = Swept::default();
        // Bounded: a backlog is worked off in several minutes, and no call takes too long.
        for _ in 0..SWEEPS {
            let swept = self.ports.store.sweep(now, AT_ONCE).await?;
            all.found += swept.found;
            all.put_away += swept.put_away;
            all.put_aside += swept.put_aside;
            if swept.found < AT_ONCE {
                break;
            }
        }
        self.finish_departures(&mut all).await?;
        self.take_census().await?;
        // What was put aside has to be told; the key is an hour or a minute older then.
        if all.put_aside == 0 {
            self.rotate_sealing_key().await?;
        }
        Ok(all)
    }

    /// A name for a call by which its log line is found.
    #[must_use]
    pub fn request_id(&self) -> String {
        self.random::<10>().map_or_else(|_| "req_unknown".into(), |r| format!("req_{}", hex(&r)))
    }
}
