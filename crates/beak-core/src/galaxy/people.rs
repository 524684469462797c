//! Calls of a duckling, or of its owner, about itself.

use super::Galaxy;
use super::pecks::TRIES;
use crate::access::Caller;
use crate::audit::Event;
use crate::certificate::Certificate;
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::key::BeakKey;
use crate::peck::{Direction, Peck, PeckStatus};
use crate::person::{DisplayName, Email};
use crate::ports::{AccountId, Deletion, EventQuery, Move, Moved, NewKey, Page, PeckQuery};
use crate::tier::{Note, Statement, TierRequest};

/// Everything that the galaxy keeps of a duckling.
pub struct Export {
    /// The duckling.
    pub duckling: Duckling,
    /// Its certificates, oldest first.
    pub certificates: Vec<Certificate>,
    /// Its pecks of both directions, newest first.
    pub pecks: Vec<Peck>,
    /// What has happened to it, newest first.
    pub events: Vec<Event>,
    /// Whether a list was cut at its longest.
    pub is_cut: bool,
}

/// How many entries of each list an export has at most.
const LONGEST: usize = 2000;

/// How many bytes of each of its lists of pecks: an answer of a Lambda function has 6 MB.
const LARGEST: usize = 1_500_000;

/// How many bytes a peck takes as JSON, at most: a message's marks may be escaped.
fn size(peck: &Peck) -> usize {
    500 + 2 * peck.message.as_str().len()
}

/// How many bonds and pecks a deletion ends in one call.
const ENDED_AT_ONCE: usize = 100;

impl Galaxy {
    /// Notes that an agent is alive.
    pub async fn pulse(&self, duckling: &Duckling) -> Result<()> {
        let there = self.ports.store.pulse(&duckling.id, self.now()).await?;
        if there { Ok(()) } else { Err(BeakError::Unauthorized) }
    }

    /// Exchanges the Beak Key; the old one is dead at once.
    pub async fn rotate_key(&self, duckling: &Duckling) -> Result<BeakKey> {
        let key = BeakKey::new(self.random()?);
        let new = NewKey { hash: key.hash().to_hex(), hint: key.hint(), at: self.now() };
        if self.ports.store.rotate_key(&duckling.id, &duckling.key_hash, &new).await? {
            return Ok(key);
        }
        let message = "the key was exchanged by another call at the same time";
        Err(BeakError::Conflict { status: None, message })
    }

    /// Gives a duckling another name. Its certificate goes on saying the old one until the next
    /// tier: what is signed does not change.
    pub async fn rename(&self, duckling: Duckling, name: DisplayName) -> Result<Duckling> {
        if !self.ports.store.rename(&duckling.id, &name).await? {
            return Err(BeakError::Unauthorized);
        }
        Ok(Duckling { display_name: name, ..duckling })
    }

    /// Asks for T2.
    pub async fn request_tier(&self, duckling: &Duckling, statement: Statement) -> Result<()> {
        let request = TierRequest { statement, at: self.now() };
        if self.ports.store.request_tier(&duckling.id, &request).await? {
            return Ok(());
        }
        let message = "only a duckling of tier T1 can ask for T2";
        Err(BeakError::Conflict { status: None, message })
    }

    /// Everything that the galaxy keeps of a duckling.
    pub async fn export(&self, duckling: Duckling) -> Result<Export> {
        let certificates = self.ports.store.certificates_of(&duckling.id).await?;
        let (now, mut is_cut) = (self.now(), false);
        let mut pecks = Vec::new();
        for direction in [Direction::In, Direction::Out] {
            let party = duckling.id.clone();
            let asked = PeckQuery { party, direction, status: None, now };
            let (mut found, mut page) = (Vec::new(), Page { limit: 100, after: None });
            let mut bytes = 0;
            while found.len() < LONGEST && bytes < LARGEST {
                let listed = self.ports.store.pecks(&asked, &page).await?;
                bytes += listed.items.iter().map(size).sum::<usize>();
                found.extend(listed.items);
                page.after = listed.next;
                if page.after.is_none() {
                    break;
                }
            }
            is_cut |= page.after.is_some();
            pecks.extend(found);
        }
        pecks.sort_unstable_by(|a, b| b.id.cmp(&a.id));
        let asked = EventQuery { of: Some(duckling.id.clone()), now };
        let (mut events, mut page) = (Vec::new(), Page { limit: 100, after: None });
        while events.len() < LONGEST {
            let listed = self.ports.store.events(&asked, &page).await?;
            events.extend(listed.items);
            page.after = listed.next;
            if page.after.is_none() {
                break;
            }
        }
        is_cut |= page.after.is_some();
        Ok(Export { duckling, certificates, pecks, events, is_cut })
    }

    /// Deletes a duckling with its key, certificates and bonds, and its owner's account. Cut off
    /// anywhere, the same call finishes it: with the key, or after another sign-in.
    pub async fn delete(&self, caller: &Caller) -> Result<()> {
        match caller {
            Caller::Anyone => Err(BeakError::Unauthorized),
            Caller::Agent(duckling) => {
                self.delete_account(&duckling.email, None).await?;
                self.delete_duckling(&duckling.email, None).await
            }
            Caller::Person(person, _) => {
                self.delete_duckling(&person.email, None).await?;
                self.delete_account(&person.email, Some(&person.account)).await
            }
        }
    }

    pub(super) async fn delete_account(
        &self,
        email: &Email,
        account: Option<&AccountId>,
    ) -> Result<()> {
        self.ports.accounts.forget_attempts(&email.sha256()).await?;
        self.end_account(email).await?;
        self.ports.identity.delete(email).await?;
        // What signed in meanwhile ends as well.
        self.end_account(email).await?;
        self.end_cooldown(email).await?;
        // Last: an account that is there and not settled opens to a new password only.
        match account {
            Some(account) => self.ports.accounts.forget_account(account).await,
            None => Ok(()),
        }
    }

    pub(super) async fn delete_duckling(&self, email: &Email, reason: Option<&Note>) -> Result<()> {
        for _ in 0..TRIES {
            let Some(duckling) = self.ports.store.duckling_by_email(email).await? else {
                return Ok(());
            };
            self.ports.store.leave(&duckling.id).await?;
            self.end_all(&duckling).await?;
            self.ports.store.forget_blocks(&duckling.id).await?;
            let Some(duckling) = self.ports.store.duckling(&duckling.id).await? else {
                return Ok(());
            };
            let kept = self.ports.store.certificates_of(&duckling.id).await?;
            let mut certificates: Vec<_> = kept.into_iter().map(|kept| kept.id).collect();
            // An index may lag behind; the current one is known without it.
            if !certificates.contains(&duckling.cert_id) {
                certificates.push(duckling.cert_id.clone());
            }
            let (reason, at) = (reason.cloned(), self.now());
            let deletion = Deletion { duckling, certificates, reason, at };
            if self.ports.store.delete(&deletion).await? {
                return Ok(());
            }
        }
        Err(BeakError::Unavailable("a duckling kept changing while it was deleted".into()))
    }

    /// Ends a duckling's bonds, withdraws its pecks and denies those that wait for it.
    async fn end_all(&self, duckling: &Duckling) -> Result<()> {
        let now = self.now();
        for direction in [Direction::In, Direction::Out] {
            for status in [PeckStatus::Pending, PeckStatus::Approved] {
                let party = duckling.id.clone();
                let asked = PeckQuery { party, direction, status: Some(status), now };
                let mut page = Page { limit: ENDED_AT_ONCE, after: None };
                loop {
                    let listed = self.ports.store.pecks(&asked, &page).await?;
                    for peck in &listed.items {
                        self.end(peck, direction).await?;
                    }
                    page.after = listed.next;
                    if page.after.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn end(&self, peck: &Peck, direction: Direction) -> Result<()> {
        let mut status = peck.stored;
        for _ in 0..TRIES {
            let to = match (status, direction) {
                (PeckStatus::Approved, _) => Move::Revoke,
                (PeckStatus::Pending, Direction::Out) => Move::Withdraw,
                (PeckStatus::Pending, Direction::In) => Move::Deny,
                _ => return Ok(()),
            };
            match self.ports.store.move_peck(&peck.id, &to, self.now()).await? {
                Moved::Done => return Ok(()),
                Moved::Elsewhere(now) => status = now,
                Moved::Stale | Moved::Full(_) => {}
            }
        }
        Err(BeakError::Unavailable(format!("{} changed {TRIES} times", peck.id)))
    }
}
