//! Operators.

use async_trait::async_trait;

use crate::failure::Failure;
use crate::model::Secret;

/// Shows a person the password of a new account, once.
pub type Show<'a> = &'a (dyn Fn(&Secret) -> Result<(), Failure> + Send + Sync);

/// A password that has to be seen before it counts.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    password: &'a Secret,
    show: Show<'a>,
}

impl<'a> Offer<'a> {
    /// A password, and how to show it.
    #[must_use]
    pub fn new(password: &'a Secret, show: Show<'a>) -> Self {
        Self { password, show }
    }

    /// The password, now that it was shown.
    pub fn shown(&self) -> Result<&'a Secret, Failure> {
        (self.show)(self.password).map(|()| self.password)
    }
}

/// What became of somebody who was to be an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// There was nothing to do.
    Already,
    /// The person had an account and keeps the password.
    Member,
    /// An account was made, with the password that was given.
    New,
}

/// The people of a user pool, as far as they are operators.
#[async_trait]
pub trait People: Send + Sync {
    /// Makes an operator; with this password, where there is no account whose own password counts
    /// by the galaxy's ledger, a table. The password is shown before it counts.
    async fn add(
        &self,
        pool: &str,
        ledger: &str,
        email: &str,
        password: Offer<'_>,
    ) -> Result<Joined, Failure>;
    /// Makes an operator an ordinary person, and ends the sessions. Whether it was one.
    async fn remove(&self, pool: &str, ledger: &str, email: &str) -> Result<bool, Failure>;
    /// Removes the second factor of an address, and ends the sessions. Whether there was one.
    async fn reset_factor(&self, pool: &str, ledger: &str, email: &str) -> Result<bool, Failure>;
    /// The operators' addresses.
    async fn operators(&self, pool: &str) -> Result<Vec<String>, Failure>;
}
