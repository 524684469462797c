//! Deletions, in steps: a duckling may have ten thousand bonds, and a call has seconds.
//!
//! The first step marks the duckling, which ends its key and its certificate, and keeps a
//! [`Departure`]. Then the account ends, then bonds and pecks, as many as the time allows. What is
//! left the sweep does, minute by minute; the same call goes on with it as well.

use super::Galaxy;
use super::pecks::TRIES;
use crate::access::Caller;
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::id::DucklingId;
use crate::peck::{Direction, Peck, PeckStatus};
use crate::person::Email;
use crate::ports::{AccountId, Deletion, Departure, Move, Moved, Page, PeckQuery, Person, Swept};
use crate::tier::Note;
use crate::{Duration, OffsetDateTime};

/// How far a deletion has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Everything is deleted.
    Done,
    /// Key, certificate and account are gone; bonds are left, which the sweep ends.
    Continues,
}

/// How long a call ends bonds. It has nine seconds for everything.
const IN_A_CALL: Duration = Duration::seconds(4);

/// How long a sweep does, of all ducklings together.
const IN_A_SWEEP: Duration = Duration::seconds(3);

/// How long a sweep does of one duckling before it is another one's turn.
const A_SHARE: Duration = Duration::milliseconds(500);

/// How often it is each one's turn, where time does not end it.
const ROUNDS: usize = 8;

/// How many bonds and pecks are listed at once, and departures.
const AT_ONCE: usize = 100;

impl Galaxy {
    /// Deletes a duckling with its key, certificates and bonds, and its owner's account.
    pub async fn delete(&self, caller: &Caller) -> Result<Progress> {
        match caller {
            Caller::Anyone => Err(BeakError::Unauthorized),
            Caller::Agent(duckling) => self.depart(duckling, None, None).await,
            Caller::Person(person, _) => {
                let found = self.ports.store.duckling_by_email(&person.email).await?;
                if let Some(duckling) = found {
                    return self.depart(&duckling, Some(&person.account), None).await;
                }
                self.delete_account(&person.email, Some(&person.account)).await?;
                Ok(Progress::Done)
            }
        }
    }

    /// Deletes a duckling and its owner's account, as an operator.
    pub async fn remove(
        &self,
        operator: &Person,
        id: &DucklingId,
        reason: &Note,
    ) -> Result<Progress> {
        let duckling = self.ports.store.duckling(id).await?;
        let duckling = duckling.ok_or(BeakError::NotFound("such duckling"))?;
        if duckling.email == operator.email {
            let message = "this is your own duckling: delete it with DELETE /beak/me";
            return Err(BeakError::Conflict { status: None, message });
        }
        self.depart(&duckling, None, Some(reason)).await
    }

    async fn depart(
        &self,
        duckling: &Duckling,
        account: Option<&AccountId>,
        reason: Option<&Note>,
    ) -> Result<Progress> {
        // Where a deletion has begun, the address may have another account since: what is known
        // of the first one decides.
        if duckling.is_leaving
            && let Some(begun) = self.ports.store.departure(&duckling.id).await?
        {
            return self.step(begun, account, self.now() + IN_A_CALL).await;
        }
        let (id, reason) = (duckling.id.clone(), reason.cloned());
        let departure = Departure { id, reason, account_ended: false };
        self.ports.store.leave(&departure).await?;
        self.step(departure, account, self.now() + IN_A_CALL).await
    }

    /// Goes on with a deletion until a moment.
    async fn step(
        &self,
        departure: Departure,
        account: Option<&AccountId>,
        until: OffsetDateTime,
    ) -> Result<Progress> {
        let mut departure = departure;
        for _ in 0..TRIES {
            let Some(duckling) = self.ports.store.duckling(&departure.id).await? else {
                self.ports.store.forget_departure(&departure.id).await?;
                return Ok(Progress::Done);
            };
            if !departure.account_ended {
                self.delete_account(&duckling.email, account).await?;
                departure.account_ended = true;
                self.ports.store.leave(&departure).await?;
            }
            if !self.end_all(&duckling, until).await? {
                return Ok(Progress::Continues);
            }
            self.ports.store.forget_blocks(&duckling.id).await?;
            if self.end_duckling(&departure).await? {
                return Ok(Progress::Done);
            }
        }
        // An index that lags does not show the last pecks yet.
        Ok(Progress::Continues)
    }

    async fn delete_account(&self, email: &Email, account: Option<&AccountId>) -> Result<()> {
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

    /// Removes a duckling without bonds. Whether it was as it had been read.
    async fn end_duckling(&self, departure: &Departure) -> Result<bool> {
        let Some(duckling) = self.ports.store.duckling(&departure.id).await? else {
            return Ok(false);
        };
        let kept = self.ports.store.certificates_of(&duckling.id).await?;
        let mut certificates: Vec<_> = kept.into_iter().map(|kept| kept.id).collect();
        // An index may lag behind; the current one is known without it.
        if !certificates.contains(&duckling.cert_id) {
            certificates.push(duckling.cert_id.clone());
        }
        let (reason, at) = (departure.reason.clone(), self.now());
        self.ports.store.delete(&Deletion { duckling, certificates, reason, at }).await
    }

    /// Ends a duckling's bonds, withdraws its pecks and denies those that wait for it, until a
    /// moment. Whether none is left.
    async fn end_all(&self, duckling: &Duckling, until: OffsetDateTime) -> Result<bool> {
        let now = self.now();
        for direction in [Direction::In, Direction::Out] {
            for status in [PeckStatus::Pending, PeckStatus::Approved] {
                let party = duckling.id.clone();
                let asked = PeckQuery { party, direction, status: Some(status), now };
                let mut page = Page { limit: AT_ONCE, after: None };
                loop {
                    let listed = self.ports.store.pecks(&asked, &page).await?;
                    for peck in &listed.items {
                        self.end(peck, direction).await?;
                        // Behind it, so that each step ends one at least.
                        if self.now() > until {
                            return Ok(false);
                        }
                    }
                    page.after = listed.next;
                    if page.after.is_none() {
                        break;
                    }
                }
            }
        }
        Ok(true)
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

    /// Goes on with all deletions that have begun, each for a share of the time. One that fails
    /// is counted, and stops no other.
    pub(super) async fn finish_departures(&self, swept: &mut Swept) -> Result<()> {
        let until = self.now() + IN_A_SWEEP;
        let (mut page, mut failed) = (Page { limit: AT_ONCE, after: None }, None);
        loop {
            let listed = self.ports.store.departures(&page).await?;
            let mut waiting = listed.items;
            for _ in 0..ROUNDS {
                let mut left = Vec::new();
                for departure in waiting {
                    if self.now() > until {
                        return failed.map_or(Ok(()), Err);
                    }
                    let share = until.min(self.now() + A_SHARE);
                    match self.step(departure.clone(), None, share).await {
                        Ok(Progress::Done) => swept.put_away += 1,
                        Ok(Progress::Continues) => left.push(departure),
                        Err(error @ BeakError::Unavailable(_)) => failed = Some(error),
                        Err(_) => swept.put_aside += 1,
                    }
                }
                waiting = left;
            }
            page.after = listed.next;
            if page.after.is_none() {
                return failed.map_or(Ok(()), Err);
            }
        }
    }
}
