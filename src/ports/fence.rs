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

tokio::task_local! {
    /// The permit of the effect that this task is in.
    static UNDER: Option<Arc<dyn Permit>>;
}

/// Asked right before a request is sent, again and again where it is repeated: a machine may have
/// slept since the effect began, and another run may have taken over. Outside an effect everything
/// passes.
pub async fn still_passes() -> Result<(), Failure> {
    match UNDER.try_with(Clone::clone) {
        // The check itself sends requests, which must not be checked in turn.
        Ok(Some(permit)) => UNDER.scope(None, permit.check()).await,
        _ => Ok(()),
    }
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

    /// Runs an effect if it may pass. Each of its calls asks again: see [`still_passes`].
    pub async fn let_through<T>(
        &self,
        effect: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.pass().await?;
        UNDER.scope(self.permit(), effect).await
    }

    /// The number of the lock that is held.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.permit().map(|permit| permit.number())
    }

    /// A unique name for one attempt, valid wherever `CloudFormation` takes a client request token
    /// or the name of a change set: `spaceduck-GALAXY-LOCK-NANOSECONDS`. Without a lock, which only
    /// previews work without, galaxy and number are missing.
    #[must_use]
    pub fn token(&self) -> String {
        #[expect(clippy::disallowed_methods, reason = "a unique name, not a time")]
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

    /// Passes this many checks.
    struct Passing(std::sync::atomic::AtomicUsize);

    #[async_trait]
    impl Permit for Passing {
        async fn check(&self) -> Result<(), Failure> {
            // As a look that goes through the same client.
            still_passes().await?;
            let left = self.0.load(std::sync::atomic::Ordering::Relaxed);
            let less = left.checked_sub(1).ok_or_else(|| Failure::bug("taken over"))?;
            self.0.store(less, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        }

        fn galaxy(&self) -> &'static str {
            "my-duck"
        }

        fn number(&self) -> u64 {
            1
        }
    }

    #[tokio::test]
    async fn each_request_of_an_effect_asks_again_and_no_other_does() {
        let fence = Fence::default();
        fence.open(Arc::new(Passing(2.into())));
        let two = async { Ok((still_passes().await.is_ok(), still_passes().await.is_ok())) };
        assert_eq!(fence.let_through(two).await.unwrap(), (true, false));
        still_passes().await.unwrap();
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
