//! IAM of the account in memory: a stack's operation goes only as far as the rights of its role, or
//! of the caller where it has none.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::rights::{self, Scene};
use super::sim::Sim;
use super::{Account, State};
use crate::iam::{self, Context, Decision, Request};
use crate::model::{Place, Region, TAG};
use crate::ports::Proposal;
use crate::yaml::Node;

/// The role's logical id in the first stack's template.
const ROLE: &str = "CfnServiceRole";
const SERVICE: &str = "cloudformation.amazonaws.com";

/// The type that is refused, and what IAM says.
pub(super) type Refused = (String, String);

/// What CloudFormation's role was granted before: rehearsals ask the same thousands of times.
fn granted() -> MutexGuard<'static, HashSet<u64>> {
    static GRANTED: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
    GRANTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All that decides whether the role may do this work: its own template, the stack's, and where.
/// `None` for the operator, whose policy is not in a template.
fn question(
    state: &State,
    proposal: &Proposal,
    work: &[(&str, &str, &Node)],
    scene: &Scene,
) -> Option<u64> {
    let role = proposal.role.as_ref()?;
    let name = format!("{}-bootstrap", scene.galaxy);
    let mut hash = DefaultHasher::new();
    for stack in state.stacks.iter().filter(|stack| stack.proposal.name == name) {
        (&stack.arn, &stack.proposal.body).hash(&mut hash);
    }
    let steps: Vec<(&str, &str)> = work.iter().map(|(handler, id, _)| (*handler, *id)).collect();
    (role, &proposal.name, &proposal.body, steps).hash(&mut hash);
    (&scene.account, &scene.region, &scene.home).hash(&mut hash);
    Some(hash.finish())
}

impl Account {
    fn scene(&self, proposal: &Proposal) -> Option<Scene> {
        let region = if proposal.place == Place::Home { self.home.clone() } else { Region::edge() };
        Some(Scene {
            galaxy: proposal.tags.get(TAG)?.clone(),
            stack: proposal.name.clone(),
            account: self.id.to_string(),
            region: region.to_string(),
            home: self.home.to_string(),
        })
    }

    /// What the operation's caller may not do, where there is something: for each pair of handler
    /// and resource that the operation goes through.
    fn refused(
        &self,
        state: &State,
        proposal: &Proposal,
        work: &[(&str, &str, &Node)],
    ) -> Option<Refused> {
        let scene = self.scene(proposal)?;
        let now = self.time(state);
        let asked = question(state, proposal, work, &scene);
        if asked.is_some_and(|asked| granted().contains(&asked)) {
            return None;
        }
        let (documents, who) = if proposal.role.is_some() {
            let name = format!("{}-bootstrap", scene.galaxy);
            let first = state.stacks.iter().find(|s| s.is_named(Place::Home, &name, now))?;
            let home = Scene { region: scene.home.clone(), ..scene.clone() };
            // Whether CloudFormation sends keys with which it assumes a role is documented nowhere.
            let trust = rights::trust(first.root(), ROLE, &home);
            if !iam::trusts(&trust, SERVICE, &Context::new()) {
                let reason = format!("Role {ROLE} is invalid or cannot be assumed");
                return Some((String::new(), reason));
            }
            (first.rights(|root| rights::policies(root, ROLE, &home)).to_vec(), ROLE)
        } else {
            (state.operator.as_ref()?.documents.clone(), "operator")
        };
        let allowed = |request: &Request| iam::decide(&documents, request) == Decision::Allowed;
        for (handler, id, node) in work {
            let kind = node.get("Type").and_then(Node::text).unwrap_or_default();
            let nothing = Node::Null;
            let properties = node.get("Properties").unwrap_or(&nothing);
            let bounded = properties.get("PermissionsBoundary").is_some();
            for action in rights::called(kind, handler) {
                if action == "iam:PutRolePermissionsBoundary" && !bounded {
                    continue;
                }
                let request = rights::request(kind, id, properties, &action, &scene);
                if !allowed(&request) {
                    return Some((kind.to_owned(), rights::refusal(&request, who)));
                }
            }
        }
        granted().extend(asked);
        None
    }

    /// What a creation is refused.
    pub(super) fn refused_creation(&self, state: &State, stack: &Sim) -> Option<Refused> {
        let both = ["create", "read"];
        let work: Vec<_> = stack.each().flat_map(|(id, n)| both.map(|h| (h, id, n))).collect();
        self.refused(state, &stack.proposal, &work)
    }

    /// What an update is refused.
    pub(super) fn refused_update(
        &self,
        state: &State,
        stack: &Sim,
        proposal: &Proposal,
    ) -> Option<Refused> {
        let Ok(root) = Node::parse(&proposal.body) else { return None };
        let after = root.get("Resources").map_or(&[][..], Node::entries);
        let before = |id: &str| stack.each().find(|(known, _)| *known == id).map(|(_, n)| n);
        let mut work: Vec<(&str, &str, &Node)> = Vec::new();
        for (id, node) in after {
            match before(id) {
                None => work.push(("create", id, node)),
                Some(earlier) if earlier != node || stack.drifted.contains_key(id) => {
                    work.extend(
                        ["read", "update", "tag"].map(|handler| (handler, id.as_str(), node)),
                    );
                }
                Some(_) => {}
            }
        }
        let gone = |(id, node): &(&str, &Node)| {
            after.iter().all(|(known, _)| known != id) && !is_kept(node)
        };
        work.extend(stack.each().filter(gone).map(|(id, node)| ("delete", id, node)));
        self.refused(state, proposal, &work)
    }

    /// What a removal is refused.
    pub(super) fn refused_removal(&self, state: &State, stack: &Sim) -> Option<Refused> {
        let goes = stack.each().filter(|(_, node)| !is_kept(node));
        let work: Vec<_> = goes.map(|(id, node)| ("delete", id, node)).collect();
        self.refused(state, &stack.proposal, &work)
    }

    /// What a comparison with the template is refused.
    pub(super) fn refused_drift(&self, state: &State, stack: &Sim) -> Option<Refused> {
        let work: Vec<_> = stack.each().map(|(id, node)| ("read", id, node)).collect();
        self.refused(state, &stack.proposal, &work)
    }
}

fn is_kept(node: &Node) -> bool {
    let policy = node.get("DeletionPolicy").and_then(Node::text).unwrap_or_default();
    policy.starts_with("Retain")
}
