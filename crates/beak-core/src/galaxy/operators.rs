//! What operators see and decide, and what the galaxy says of its own health.

use super::Galaxy;
use crate::access::Caller;
use crate::audit::Event;
use crate::duckling::{Duckling, Liveness};
use crate::error::{BeakError, Result};
use crate::feedback::Reports;
use crate::id::DucklingId;
use crate::ports::{
    Alarm, Decision, EventQuery, Fleet, Listed, MailState, Page, Suspension, TableState,
};
use crate::tier::{Note, Tier};

/// How the galaxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything answers.
    Operational,
    /// The store answers, but something else does not.
    Degraded,
    /// The store does not answer.
    Outage,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Degraded => "degraded",
            Self::Outage => "outage",
        }
    }
}

/// What only operators see. What could not be found out is missing.
pub struct Inside {
    /// The mail, and what came back of it.
    pub mail: Option<(MailState, Reports)>,
    /// The ducklings.
    pub fleet: Option<Fleet>,
    /// The tables.
    pub tables: Option<Vec<TableState>>,
    /// The alarms; an empty list where there are none to have.
    pub alarms: Option<Vec<Alarm>>,
}

/// How many ducklings are looked at for the fleet. A larger galaxy's operators have metrics.
const LOOKED_AT: u64 = 10_000;

impl Galaxy {
    /// All ducklings.
    pub async fn spaceducks(&self, page: &Page) -> Result<Listed<Duckling>> {
        self.ports.store.ducklings(page).await
    }

    /// What has happened: to the agent's duckling, or, for an operator, to all.
    pub async fn events(&self, caller: &Caller, page: &Page) -> Result<Listed<Event>> {
        let of = caller.duckling().map(|duckling| duckling.id.clone());
        self.ports.store.events(&EventQuery { of, now: self.now() }, page).await
    }

    /// Decides about a duckling's T2. Gives the tier that it has then.
    pub async fn decide(&self, id: &DucklingId, grant: bool, note: Note) -> Result<Tier> {
        for _ in 0..super::pecks::TRIES {
            let duckling = self.duck(id).await?;
            if duckling.is_suspended() {
                let message = "this duckling is suspended: restore it first";
                return Err(BeakError::Conflict { status: None, message });
            }
            if duckling.tier != Tier::T1 {
                let message = match duckling.tier {
                    Tier::T2 => "this duckling has T2 already",
                    _ => "this duckling is not at T1 yet",
                };
                return Err(BeakError::Conflict { status: None, message });
            }
            let promotion =
                if grant { Some(self.promotion(&duckling, Tier::T2).await?) } else { None };
            let decision =
                Decision { id: id.clone(), promotion, note: note.clone(), at: self.now() };
            if self.ports.store.decide(&decision).await? {
                return Ok(if grant { Tier::T2 } else { Tier::T1 });
            }
        }
        Err(BeakError::Unavailable(format!("{id} kept changing under a decision")))
    }

    /// The ducklings whose requests for T2 wait, the oldest request first.
    pub async fn tier_requests(&self, page: &Page) -> Result<Listed<Duckling>> {
        self.ports.store.tier_requests(page).await
    }

    /// Suspends a duckling, or restores it: until then its key and its certificate are refused.
    /// Twice is as good as once.
    pub async fn suspend(&self, id: &DucklingId, suspends: bool, reason: Note) -> Result<()> {
        for _ in 0..super::pecks::TRIES {
            let duckling = self.duck(id).await?;
            if duckling.is_suspended() == suspends {
                return Ok(());
            }
            let (reason, at) = (reason.clone(), self.now());
            let suspension = Suspension { duckling, suspends, reason, at };
            if self.ports.store.suspend(&suspension).await? {
                return Ok(());
            }
        }
        Err(BeakError::Unavailable(format!("{id} kept changing under an operator")))
    }

    /// How the galaxy is, for everybody.
    pub async fn status(&self) -> Status {
        // A read of next to nothing: this is asked often.
        if self.ports.store.former_issuers().await.is_err() {
            return Status::Outage;
        }
        if !self.ports.store.takes_writes().await {
            return Status::Degraded;
        }
        match self.ports.authority.keys().await {
            Ok(_) => Status::Operational,
            Err(_) => Status::Degraded,
        }
    }

    /// How the galaxy is, for operators.
    pub async fn inside(&self) -> Inside {
        Inside {
            mail: self.mail_inside().await.ok(),
            fleet: self.fleet().await.ok(),
            tables: self.ports.store.tables().await.ok(),
            alarms: self.alarms().await,
        }
    }

    /// The fleet as the last sweep has counted it; counted now in a home that keeps no census.
    async fn fleet(&self) -> Result<Fleet> {
        match self.ports.store.census().await? {
            Some(fleet) => Ok(fleet),
            None => self.count_fleet().await,
        }
    }

    /// Counts the fleet for operators to look at.
    pub(super) async fn take_census(&self) -> Result<()> {
        if self.ports.store.keeps_census() {
            self.ports.store.keep_census(&self.count_fleet().await?).await?;
        }
        Ok(())
    }

    async fn count_fleet(&self) -> Result<Fleet> {
        let (now, mut fleet) = (self.now(), Fleet::default());
        let mut page = Page { limit: 1000, after: None };
        loop {
            let listed = self.ports.store.ducklings(&page).await?;
            for duckling in &listed.items {
                match duckling.liveness(now) {
                    Liveness::Alive => fleet.alive += 1,
                    Liveness::Slow => fleet.slow += 1,
                    Liveness::Offline => fleet.offline += 1,
                }
            }
            page.after = listed.next;
            fleet.is_whole = page.after.is_none();
            if fleet.is_whole || fleet.alive + fleet.slow + fleet.offline >= LOOKED_AT {
                return Ok(fleet);
            }
        }
    }
}
