//! Calls of a duckling about itself, and of operators about all of them.

use super::{Credential, Galaxy};
use crate::duckling::Duckling;
use crate::error::{BeakError, Result};
use crate::key::BeakKey;
use crate::ports::{Listed, NewKey, Page, Tokens};

impl Galaxy {
    /// A new access token for a refresh token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens> {
        self.ports.identity.refresh(refresh_token).await?.ok_or(BeakError::Unauthorized)
    }

    /// Ends all tokens of the person whose access token this is.
    pub async fn sign_out(&self, credential: &Credential) -> Result<()> {
        self.person_of(credential).await?;
        match credential {
            Credential::Token(token) => self.ports.identity.sign_out(token).await,
            Credential::Key(_) => Ok(()),
        }
    }

    /// Notes that an agent is alive.
    pub async fn pulse(&self, credential: &Credential) -> Result<()> {
        let duckling = self.agent_of(credential).await?;
        let there = self.ports.store.pulse(&duckling.id, self.now()).await?;
        if there { Ok(()) } else { Err(BeakError::Unauthorized) }
    }

    /// Exchanges the Beak Key; the old one is dead at once.
    pub async fn rotate_key(&self, credential: &Credential) -> Result<BeakKey> {
        let duckling = self.duckling_of(credential).await?;
        let key = BeakKey::new(self.random()?);
        let new = NewKey { hash: key.hash().to_hex(), hint: key.hint() };
        if self.ports.store.rotate_key(&duckling.id, &duckling.key_hash, &new).await? {
            return Ok(key);
        }
        let message = "the key was exchanged by another call at the same time";
        Err(BeakError::Conflict { status: None, message })
    }

    /// All ducklings, for an operator.
    pub async fn spaceducks(
        &self,
        credential: &Credential,
        page: &Page,
    ) -> Result<Listed<Duckling>> {
        self.operator_of(credential).await?;
        self.ports.store.ducklings(page).await
    }
}
