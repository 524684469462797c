//! Mail of the account in memory: a sandbox, a review that takes its time, records that appear.

use std::collections::BTreeMap;

use async_trait::async_trait;
use galaxy_mail::facts::{
    Account as Standing, Enforcement, Identity, Looked, Memory, Progress, Review, SetFound, Test,
    TestMail,
};
use galaxy_mail::judge::{Hosted, State};
use galaxy_mail::name::Domain;
use galaxy_mail::records::Wanted;
use galaxy_mail::request::Letter;

use super::services::DAY;
use super::{Account, refuse};
use crate::failure::Failure;
use crate::model::TAG;
use crate::ports::{Applied, Dns, Invited, Mail, Play, Proposal};

/// How long a person needs to set records, in seconds.
const RECORDS: u64 = 2 * 60;
/// How long Amazon needs to see them.
const SEEN: u64 = 4 * 60;
/// How long a review takes here.
const REVIEW: u64 = 20 * 60;
/// How long it takes until the API has written down what the simulator played.
const FEEDBACK: u64 = 20;

/// What a person finds in the account.
#[derive(Clone, Debug, Default)]
pub(super) struct Post {
    /// SES's answer, where it was set; else a sandbox without an application.
    standing: Option<Standing>,
    /// How records are, where it was set.
    pub(super) records: BTreeMap<(Domain, &'static str), State>,
    /// When a person began with it, in seconds.
    begun: u64,
    /// Whether records and all that follows from them are there from the beginning.
    ready: bool,
    /// When the application came, and what it says.
    letters: Vec<(u64, Letter)>,
    invited: BTreeMap<String, u64>,
    played: Vec<(u64, Play)>,
    /// A website that answers.
    pub(super) website: Option<String>,
    /// Domains that SES knew before us.
    known: Vec<Domain>,
    /// Identities that outlived the stack that made them: the galaxy in their tag, and the set
    /// that mail leaves by.
    pub(super) kept: BTreeMap<Domain, (String, Option<String>)>,
    /// SES takes no mail.
    takes_nothing: bool,
    /// Cognito has its role to send through SES.
    pub(super) sender_role: bool,
}

impl Post {
    /// Remembers the identity that a stack has made or taken up.
    pub(super) fn keep(&mut self, domain: Domain, proposal: &Proposal) {
        let galaxy = proposal.tags.get(TAG).cloned().unwrap_or_default();
        let set = Some(format!("{galaxy}-tx"));
        self.kept.insert(domain, (galaxy, set));
    }

    /// Whether a person has set the records.
    pub(super) fn is_open(&self, now: u64) -> bool {
        self.ready || now >= self.begun + RECORDS
    }
}

impl Account {
    /// What SES says of the account from now on.
    pub fn stand(&self, standing: Standing) {
        self.state().post.standing = Some(standing);
    }

    /// How a record is from now on.
    pub fn set_record(&self, name: &Domain, kind: &'static str, state: State) {
        self.state().post.records.insert((name.clone(), kind), state);
    }

    /// Everything that has to be in the DNS is there, and Amazon has seen it.
    pub fn settle_records(&self) {
        self.state().post.ready = true;
    }

    /// From now on a person sets records, and Amazon sees them.
    pub fn open_post(&self) {
        let now = self.seconds();
        self.state().post.begun = now;
    }

    /// This host answers, with every page.
    pub fn serve(&self, host: &str) {
        self.state().post.website = Some(host.to_owned());
    }

    /// Another account has verified this domain with SES.
    pub fn know(&self, domain: &Domain) {
        self.state().post.known.push(domain.clone());
    }

    /// From now on SES takes no mail.
    pub fn refuse_plays(&self) {
        self.state().post.takes_nothing = true;
    }

    /// How many mails were sent to the simulator.
    #[must_use]
    pub fn played(&self) -> usize {
        self.state().post.played.len()
    }

    /// The applications that were sent.
    #[must_use]
    pub fn letters(&self) -> Vec<Letter> {
        self.state().post.letters.iter().map(|(_, letter)| letter.clone()).collect()
    }

    fn seconds(&self) -> u64 {
        Self::now(self).as_secs()
    }
}

/// The stored answers and test results of a finished checklist.
#[must_use]
pub fn finished_memory(now: u64) -> String {
    let mail = |plays: &str, written| TestMail {
        plays: plays.to_owned(),
        message_id: format!("0100-{plays}"),
        written,
    };
    let test = Test {
        at: now,
        mails: vec![
            mail("success", None),
            mail("bounce", Some(now + FEEDBACK)),
            mail("complaint", Some(now + FEEDBACK)),
        ],
    };
    let confirmed = ["imprint", "mailboxes", "contacts", "price"];
    let confirmed = confirmed.map(|item| (item.to_owned(), now)).into();
    let granted = Some(now);
    let (test, applied) = (Some(test), Some(now));
    let memory = Memory { confirmed, test, applied, granted, ..Memory::default() };
    serde_json::to_string(&memory).unwrap_or_default()
}

/// What SES says of an account in one of the states that can be played.
#[must_use]
pub fn standing(state: &str) -> Standing {
    let mut standing = sandbox();
    match state {
        "pending" => standing.review = Some(Review::Pending),
        "denied" => standing.review = Some(Review::Denied),
        "failed" => standing.review = Some(Review::Failed),
        "granted" | "probation" => {
            standing.review = Some(Review::Granted);
            (standing.production, standing.per_day, standing.per_second) = (true, 5e4, 14.0);
            standing.sent = 120.0;
        }
        _ => {}
    }
    match state {
        "probation" => standing.enforcement = Enforcement::Probation,
        "shutdown" => (standing.enforcement, standing.sending) = (Enforcement::Shutdown, false),
        "paused" => standing.sending = false,
        _ => {}
    }
    if standing.review.is_some() {
        standing.case = Some("1111222233".into());
    }
    standing
}

/// A sandbox without an application.
fn sandbox() -> Standing {
    Standing {
        sending: true,
        enforcement: Enforcement::Healthy,
        per_day: 200.0,
        per_second: 1.0,
        suppresses: (true, true),
        plan: Some("ESSENTIALS".into()),
        ..Standing::default()
    }
}

#[async_trait]
impl Mail for Account {
    async fn account(&self) -> Result<Standing, Failure> {
        self.may("Mail::account")?;
        self.hear()?;
        let now = self.seconds();
        let state = self.state();
        let post = &state.post;
        let mut standing = post.standing.clone().unwrap_or_else(sandbox);
        if let Some((at, _)) = post.letters.last() {
            let granted = now >= at + REVIEW;
            standing.review = Some(if granted { Review::Granted } else { Review::Pending });
            standing.case = Some("1111222233".into());
            if granted {
                (standing.production, standing.per_day, standing.per_second) = (true, 5e4, 14.0);
            }
        }
        Ok(standing)
    }

    async fn identity(&self, domain: &Domain) -> Result<Option<Identity>, Failure> {
        self.may("Mail::identity")?;
        self.hear()?;
        let now = self.seconds();
        let state = self.state();
        // It is there as soon as the stack is that brings it.
        let brings = |stack: &&super::sim::Sim| {
            stack.is_there(super::Account::time(self, &state))
                && stack.proposal.body.contains(domain.as_str())
        };
        let kept = state.post.kept.get(domain);
        let known = state.post.known.contains(domain) || kept.is_some();
        if !known && !state.stacks.iter().any(|stack| brings(&stack)) {
            return Ok(None);
        }
        let progress = if state.post.ready || now >= state.post.begun + SEEN {
            Progress::Success
        } else {
            Progress::Pending
        };
        let token = |token: &str| {
            let name = domain.below(&format!("{token}._domainkey")).ok()?;
            Some((name, Domain::parse(&format!("{token}.dkim.amazonses.com")).ok()?))
        };
        let bounce = domain.below("bounce").ok();
        Ok(Some(Identity {
            whole_domain: true,
            verified: progress.clone(),
            dkim: progress.clone(),
            bits: Some(2048),
            tokens: ["qm5c3z", "wd2xv7", "zk8f4n"].iter().filter_map(|t| token(t)).collect(),
            mail_from: bounce.map(|bounce| (bounce, progress)),
            error: None,
            asked: None,
            tags: kept.map(|(galaxy, _)| (TAG.to_owned(), galaxy.clone())).into_iter().collect(),
            set: kept.and_then(|(_, set)| set.clone()),
        }))
    }

    async fn clear_default_set(&self, domain: &Domain) -> Result<(), Failure> {
        self.may("Mail::clear_default_set")?;
        self.effect(format!("clear the default set of {domain}"), |state| {
            if let Some((_, set)) = state.post.kept.get_mut(domain) {
                *set = None;
            }
            Ok(())
        })
    }

    async fn remove_identity(&self, domain: &Domain) -> Result<(), Failure> {
        self.may("Mail::remove_identity")?;
        self.effect(format!("remove the identity {domain}"), |state| {
            state.post.kept.remove(domain);
            Ok(())
        })
    }

    async fn create_sender_role(&self) -> Result<(), Failure> {
        self.may("Mail::create_sender_role")?;
        self.effect("create the sender role".into(), |state| {
            state.post.sender_role = true;
            Ok(())
        })
    }

    async fn set(&self, _: &str) -> Result<Option<SetFound>, Failure> {
        self.may("Mail::set")?;
        self.hear()?;
        let events = vec!["BOUNCE".to_owned(), "COMPLAINT".to_owned(), "REJECT".to_owned()];
        Ok(Some(SetFound { tls: true, events }))
    }

    async fn apply(&self, letter: &Letter) -> Result<Applied, Failure> {
        self.may("Mail::apply")?;
        let now = self.seconds();
        self.effect("apply for production access".into(), |state| {
            let reading = |(at, _): &(u64, Letter)| now < at + REVIEW;
            let pending = state.post.standing.as_ref().and_then(|s| s.review.as_ref());
            if state.post.letters.iter().any(reading) || pending == Some(&Review::Pending) {
                return Ok(Applied::UnderReview);
            }
            state.post.letters.push((now, letter.clone()));
            Ok(Applied::Sent)
        })
    }

    async fn invite(&self, address: &str) -> Result<Invited, Failure> {
        self.may("Mail::invite")?;
        let now = self.seconds();
        self.effect(format!("invite {address}"), |state| match state.post.invited.get(address) {
            Some(at) if now >= at + RECORDS => Ok(Invited::Verified),
            Some(_) => Ok(Invited::Pending),
            None => {
                state.post.invited.insert(address.to_owned(), now);
                Ok(Invited::Sent)
            }
        })
    }

    async fn play(&self, play: &Play) -> Result<String, Failure> {
        self.may("Mail::play")?;
        let now = self.seconds();
        self.effect(format!("play {}", play.plays), |state| {
            if !play.from.contains('@') {
                return Err(refuse("that is no sender".into()));
            }
            if state.post.takes_nothing {
                return Err(refuse("SES takes no mail now".into()));
            }
            state.post.played.push((now, play.clone()));
            Ok(format!("0100-{:04}", state.post.played.len()))
        })
    }

    async fn written(&self, _: &str, mail: &TestMail) -> Result<Option<u64>, Failure> {
        self.may("Mail::written")?;
        self.hear()?;
        let now = self.seconds();
        let state = self.state();
        let number: Option<usize> = mail.message_id.rsplit('-').next().and_then(|n| n.parse().ok());
        let played = number.and_then(|number| state.post.played.get(number.checked_sub(1)?));
        let told = played.filter(|(at, play)| play.plays != "success" && now >= at + FEEDBACK);
        Ok(told.map(|(at, _)| DAY + at + FEEDBACK))
    }
}

#[async_trait]
impl Dns for Account {
    async fn look(&self, wanted: &[Wanted], _: &[Hosted]) -> Result<Vec<Looked>, Failure> {
        let now = self.seconds();
        let state = self.state();
        let look = |wanted: &Wanted| {
            let key = (wanted.name.clone(), wanted.data.kind());
            let usual = if state.post.is_open(now) { State::Right } else { State::Missing };
            let usual = state.zones.state(wanted).unwrap_or(usual);
            let found = state.post.records.get(&key).cloned().unwrap_or(usual);
            let zone = wanted.name.organisational();
            Looked { wanted: wanted.clone(), zone, state: found, known: None }
        };
        Ok(wanted.iter().map(look).collect())
    }

    async fn led(&self, name: &Domain) -> Result<Option<Hosted>, Failure> {
        Ok(self.state().zones.led(name))
    }
}
