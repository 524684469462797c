//! Events of `spaceduck verify`.

use serde::Serialize;

/// A check of an installed galaxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The check.
    pub check: String,
    /// `ok`, `unknown` or `wrong`.
    pub verdict: String,
    /// What was seen; without account id, addresses and secrets.
    pub detail: String,
}

/// What this account answers to a question that no emulator can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// The question's name.
    pub id: String,
    /// The question.
    pub question: String,
    /// `yes`, `no` or `unknown`.
    pub answer: String,
    /// The evidence; without account id, addresses and secrets.
    pub evidence: String,
}

/// How long a stack took to create.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timed {
    /// The stack.
    pub stack: String,
    /// By its events, in seconds.
    pub seconds: u64,
    /// By our estimate, in seconds.
    pub estimate: u64,
}
