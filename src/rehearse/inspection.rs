//! What was added by hand to roles, function, user pool and buckets of the account in memory.

use async_trait::async_trait;

use super::Account;
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Extra, Inspection};

impl Account {
    fn extras(&self, of: impl Fn(&Extra) -> bool) -> Result<Vec<Extra>, Failure> {
        self.hear()?;
        Ok(self.state().extras.iter().filter(|extra| of(extra)).cloned().collect())
    }
}

#[async_trait]
impl Inspection for Account {
    async fn role(&self, role: &str) -> Result<Vec<Extra>, Failure> {
        self.may("Inspection::role")?;
        self.extras(|extra| match extra {
            Extra::Attached { role: of, .. } | Extra::Inlined { role: of, .. } => of == role,
            _ => false,
        })
    }

    async fn function(&self, function: &str) -> Result<Vec<Extra>, Failure> {
        self.may("Inspection::function")?;
        self.extras(|extra| match extra {
            Extra::Weights { function: of, .. }
            | Extra::Permission { function: of, .. }
            | Extra::Url { function: of, .. }
            | Extra::Concurrency { function: of, .. } => of == function,
            _ => false,
        })
    }

    async fn clients(&self, pool: &str) -> Result<Vec<Extra>, Failure> {
        self.may("Inspection::clients")?;
        self.extras(|extra| matches!(extra, Extra::Client { pool: of, .. } if of == pool))
    }

    async fn cors(&self, place: Place, bucket: &str) -> Result<Option<Extra>, Failure> {
        self.may("Inspection::cors")?;
        let wanted = Extra::Cors { place, bucket: bucket.to_owned() };
        Ok(self.extras(|extra| *extra == wanted)?.pop())
    }

    async fn remove(&self, extra: &Extra) -> Result<(), Failure> {
        self.may("Inspection::remove")?;
        self.effect(format!("remove {extra:?}"), |state| {
            state.extras.retain(|one| one != extra);
            Ok(())
        })
    }
}
