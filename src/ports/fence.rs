//! The fence: effects pass while this run holds the galaxy's lock, and carry the lock's number.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use crate::failure::Failure;

/// A lock that this run holds, as effects see it.
#[async_trait]
pub trait Permit: Send + Sync {
    /// Fails once another run has taken the lock over.
    async fn check(&self) -> Result<(), Failure>;
    /// The galaxy.
    fn galaxy(&self) -> &str;
    /// The lock's number. A later holder's is greater.
    fn number(&self) -> u64;
}

/// Closed until a lock opens it.
#[derive(Default)]
pub struct Fence(RwLock<Option<Arc<dyn Permit>>>);

impl Fence {
    /// Lets effects through as long as the permit is good.
    pub fn open(&self, permit: Arc<dyn Permit>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(permit);
    }

    /// Lets no effect through.
    pub fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn permit(&self) -> Option<Arc<dyn Permit>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Called before each effect.
    pub async fn pass(&self) -> Result<(), Failure> {
        match self.permit() {
            Some(permit) => permit.check().await,
            None => Err(Failure::bug("this command changes the galaxy without its lock")
                .help("run the change inside `lock::holding`")),
        }
    }

    /// The number of the lock that is held.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.permit().map(|permit| permit.number())
    }

    /// A name for one attempt at one thing, valid wherever `CloudFormation` takes a client request
    /// token or the name of a change set: `spaceduck-GALAXY-LOCK-NANOSECONDS`. Without a lock,
    /// which only previews work without, galaxy and number are missing.
    #[must_use]
    pub fn token(&self) -> String {
        let nanos = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
        match self.permit() {
            Some(permit) => format!("{}{}-{nanos}", token_prefix(permit.galaxy()), permit.number()),
            None => format!("spaceduck-{nanos}"),
        }
    }
}

fn token_prefix(galaxy: &str) -> String {
    format!("spaceduck-{galaxy}-")
}

/// The number of the lock that a token was made under, if it is this galaxy's.
fn lock_number(token: &str, galaxy: &str) -> Option<u64> {
    let (number, nanos) = token.strip_prefix(&token_prefix(galaxy))?.split_once('-')?;
    nanos.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

/// A galaxy's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockId {
    /// The galaxy.
    pub galaxy: String,
    /// The lock's number.
    pub number: u64,
}

impl LockId {
    /// Whether a token was made under an earlier lock of this galaxy.
    #[must_use]
    pub fn is_after(&self, token: &str) -> bool {
        lock_number(token, &self.galaxy).is_some_and(|number| number < self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u64);

    #[async_trait]
    impl Permit for Number {
        async fn check(&self) -> Result<(), Failure> {
            Ok(())
        }

        fn galaxy(&self) -> &'static str {
            "my-duck"
        }

        fn number(&self) -> u64 {
            self.0
        }
    }

    #[tokio::test]
    async fn a_closed_fence_lets_nothing_through() {
        let fence = Fence::default();
        assert_eq!(fence.pass().await.unwrap_err().kind, crate::failure::Kind::Bug);
        fence.open(Arc::new(Number(7)));
        fence.pass().await.unwrap();
        assert_eq!(fence.number(), Some(7));
        fence.close();
        assert!(fence.pass().await.is_err());
    }

    #[test]
    fn a_token_names_galaxy_and_lock() {
        let fence = Fence::default();
        assert_eq!(lock_number(&fence.token(), "my-duck"), None, "a preview");
        fence.open(Arc::new(Number(7)));
        let token = fence.token();
        assert_eq!(lock_number(&token, "my-duck"), Some(7));
        for other in ["my", "duck", "my-duck-7", ""] {
            assert_eq!(lock_number(&token, other), None, "{other}: another galaxy");
        }
        let after = |number| LockId { galaxy: "my-duck".into(), number }.is_after(&token);
        assert_eq!([after(6), after(7), after(8)], [false, false, true]);
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(token.len() <= 128 && token.chars().all(fits), "{token}");
    }
}
