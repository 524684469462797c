//! Calls of a duckling, or of its owner, about itself.

use super::Galaxy;
use crate::audit::Event;
use crate::certificate::Certificate;
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::key::BeakKey;
use crate::peck::{Direction, Peck};
use crate::person::DisplayName;
use crate::ports::{EventQuery, NewKey, Page, PeckQuery};
use crate::tier::{Statement, TierRequest};

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
}
