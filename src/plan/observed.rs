//! What was found in the account, as far as a plan depends on it.

use std::collections::{BTreeMap, BTreeSet};

use galaxy_sites::Site;

use crate::config::{Domains, Hosting};
use crate::model::{Stack, StackSeen};
use crate::ports::{Claim, Retained, Stranger};
use crate::release::Manifest;

/// What was found in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The stacks that are there.
    pub stacks: BTreeMap<Stack, StackSeen>,
    /// Buckets that are there, whether their stack is or not.
    pub buckets: BTreeSet<Stack>,
    /// Whether the function's code is in the artifact bucket.
    pub code_stored: bool,
    /// The Turnstile secret.
    pub secret: SecretSeen,
    /// Whether the hosts of captchas are stored.
    pub hostnames: bool,
    /// Sites whose files are up to date.
    pub published: BTreeSet<Site>,
    /// The shield in front of the API.
    pub shield: ShieldSeen,
    /// What is written down as installed.
    pub current: Option<Manifest>,
    /// Whether that is this release.
    pub released: bool,
    /// The domains, with their certificates.
    pub domains: Domains,
    /// Zones in Route 53, and what is wanted and ours in them.
    pub hosting: Hosting,
    /// Whether the galaxy has a record, or will get one.
    pub claim: Claim,
    /// What has a name of the galaxy and is not provably its own.
    pub strangers: Vec<Stranger>,
    /// What was adopted.
    pub adopted: BTreeSet<String>,
    /// What outlived its stack and is taken over with it.
    pub retained: Vec<Retained>,
}

/// What was found of the shield's terms, by which the function knows its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ShieldSeen {
    /// None: no call counts as the shield's.
    #[default]
    None,
    /// They differ from what a finished installation leaves.
    Unfinished,
    /// Only calls through the shield are answered.
    Only,
}

/// What was found of the Turnstile secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretSeen {
    /// None is stored, and none was given.
    #[default]
    None,
    /// None is stored, and one was given.
    Missing,
    /// One is stored, and no other one was given.
    Stored,
    /// One is stored, and another one was given.
    Outdated,
}

impl SecretSeen {
    /// Whether one is stored.
    #[must_use]
    pub fn is_stored(self) -> bool {
        matches!(self, Self::Stored | Self::Outdated)
    }
}
