//! What takes time in AWS although the call has been answered: new roles and policies spread, and
//! the names of removed things stay taken for a while.

use std::time::Duration;

use galaxy_mail::name::Domain;

use super::sim::Sim;
use super::{Account, State};
use crate::ports::Proposal;
use crate::yaml::Node;

/// How long a role or policy takes until all of AWS knows it. Source: AWS names no figure; people
/// who trace it see some seconds, so an ordinary one.
const SPREAD: Duration = Duration::from_secs(12);

/// Types whose names stay taken after they are gone: the property with the name, and how long.
/// Source: `DeleteQueue`, Amazon SQS API Reference, for queues; the others are eventually
/// consistent, with a few seconds.
const HELD: [(&str, &str, Duration); 3] = [
    ("AWS::SQS::Queue", "QueueName", Duration::from_mins(1)),
    ("AWS::SES::ConfigurationSet", "Name", Duration::from_secs(10)),
    ("AWS::KMS::Alias", "AliasName", Duration::from_secs(10)),
];

const IDENTITY: &str = "AWS::SES::EmailIdentity";

/// What has to pass first.
#[derive(Clone, Default)]
pub(super) struct Delays {
    /// How long roles take, where it is not as long as usual.
    pub(super) spread: Option<Duration>,
    /// Type and name, and until when that is taken.
    held: Vec<(&'static str, String, Duration)>,
}

impl Account {
    /// From now on a role or policy takes so long until all of AWS knows it.
    pub fn spread(&self, time: Duration) {
        self.state().delays.spread = Some(time);
    }

    /// The identity that a template makes.
    pub(super) fn identity_of(&self, stack: &Sim) -> Option<Domain> {
        let kind = |node: &Node| node.get("Type").and_then(Node::text) == Some(IDENTITY);
        let (_, node) = stack.resource_nodes().iter().find(|(_, node)| kind(node))?;
        Domain::parse(&self.named(stack, node, "EmailIdentity")?).ok()
    }

    /// The name that a resource of a template has.
    fn named(&self, stack: &Sim, node: &Node, property: &str) -> Option<String> {
        let name = node.get("Properties")?.get(property)?;
        Some(self.said(name, &stack.proposal))
    }

    /// Keeps the names that go with a stack.
    pub(super) fn hold_names(&self, state: &mut State, at: usize, now: Duration) {
        let Some(stack) = state.stacks.get(at) else { return };
        let mut held = Vec::new();
        for (_, node) in stack.resource_nodes() {
            let kind = node.get("Type").and_then(Node::text).unwrap_or_default();
            let Some((kind, property, time)) = HELD.iter().find(|(known, ..)| *known == kind)
            else {
                continue;
            };
            if let Some(name) = self.named(stack, node, property) {
                held.push((*kind, name, now + stack.delete_time() + *time));
            }
        }
        state.delays.held.retain(|(.., until)| *until > now);
        state.delays.held.extend(held);
    }

    /// Why a stack can't be made or changed yet: type of resource and what AWS says.
    pub(super) fn too_early(
        &self,
        state: &State,
        stack: &Sim,
        now: Duration,
    ) -> Option<(&'static str, String)> {
        for (_, node) in stack.resource_nodes() {
            let kind = node.get("Type").and_then(Node::text).unwrap_or_default();
            for (held, name, until) in &state.delays.held {
                let property = HELD.iter().find(|(known, ..)| known == held).map(|row| row.1);
                let same = *held == kind
                    && property.and_then(|p| self.named(stack, node, p)).as_ref() == Some(name);
                if same && *until > now {
                    return Some((held, format!("{name} is being deleted; try again later")));
                }
            }
        }
        role_spreads(state, &stack.proposal, now).then(|| {
            let role = stack.proposal.role.as_deref().unwrap_or_default();
            let text = format!(
                "User: {role}/AWSCloudFormation is not authorized to perform this operation \
                 (Service: AWS, Status Code: 403, AccessDenied)"
            );
            ("", text)
        })
    }
}

/// Whether the role that a stack is made with, or its policy, is too new to be known.
fn role_spreads(state: &State, proposal: &Proposal, now: Duration) -> bool {
    let Some(role) = &proposal.role else { return false };
    let spread = state.delays.spread.unwrap_or(SPREAD);
    let makes_it = |stack: &&Sim| stack.outputs.values().any(|value| value == role);
    let of_role = state.stacks.iter().rev().find(makes_it);
    of_role.and_then(|stack| stack.role_changed).is_some_and(|at| now < at + spread)
}
