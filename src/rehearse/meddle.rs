//! Changes that others make in the account in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Account, services};
use crate::ports::{DriftState, Extra, Object, Proposal};

/// A change that others make in the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// A resource of a stack, by their names, becomes this.
    Resource(String, String, DriftState),
    /// An object, by bucket and key, becomes this or goes.
    Object(String, String, Option<Object>),
    /// The template of a stack, by its name, becomes this.
    Template(String, String),
    /// Callers get this version of the function.
    Live(String),
    /// A secret goes.
    Secret(String),
    /// A bucket goes with all that is in it.
    Bucket(String),
    /// An object, by bucket and key, is written again with these headers besides its own.
    Headers(String, String, BTreeMap<String, String>),
    /// A secret becomes another one.
    OtherSecret(String, String),
    /// Something is added beside a template.
    Added(Extra),
}

impl Account {
    /// Changes, removes or adds something, as another program would.
    pub fn meddle(&self, meddling: Meddling) {
        let mut state = self.state();
        // Others come at another second than we did.
        state.since.0 += Duration::from_secs(1);
        let now = services::DAY + self.time(&state).as_secs();
        match meddling {
            Meddling::Resource(stack, resource, drift) => {
                let stack = state.stacks.iter_mut().rev().find(|s| s.proposal.name == stack);
                if let Some(stack) = stack {
                    stack.drifted.insert(resource, drift);
                }
            }
            Meddling::Template(name, body) => {
                for stack in state.stacks.iter_mut().filter(|s| s.proposal.name == name) {
                    stack.take(Proposal { body: body.clone(), ..stack.proposal.clone() });
                }
            }
            Meddling::Object(bucket, key, object) => {
                state.written.insert((bucket.clone(), key.clone()), now);
                state.headers.remove(&(bucket.clone(), key.clone()));
                let known = state.buckets.iter_mut().find(|((_, name), _)| *name == bucket);
                match (known, object) {
                    (Some((_, objects)), Some(object)) => {
                        objects.insert(key, object);
                    }
                    (Some((_, objects)), None) => {
                        objects.remove(&key);
                    }
                    (None, _) => {}
                }
            }
            Meddling::Live(version) => {
                let stack = state.stacks.iter_mut().find(|s| s.outputs.contains_key("NewVersion"));
                if let Some(stack) = stack {
                    stack.live = version;
                }
            }
            Meddling::Secret(path) => {
                state.secrets.remove(&path);
            }
            Meddling::Headers(bucket, key, headers) => {
                state.written.insert((bucket.clone(), key.clone()), now);
                state.headers.insert((bucket, key), headers);
            }
            Meddling::OtherSecret(path, secret) => {
                state.secrets.insert(path, secret);
            }
            Meddling::Added(extra) => state.extras.push(extra),
            Meddling::Bucket(name) => {
                state.buckets.retain(|(_, known), _| *known != name);
                let mut stacks = state.stacks.iter_mut();
                let made = stacks.find(|s| self.bucket_of(s).as_ref() == Some(&name));
                if let Some((stack, id)) = made.and_then(|s| s.bucket_id().map(|id| (s, id))) {
                    stack.drifted.insert(id, DriftState::Deleted);
                }
            }
        }
    }
}
