//! A stack of the account in memory: its states and events lie on a line of time, and looking at
//! it means reading that line.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Outputs, Place, StackSeen, StackStatus};
use crate::pace::{self, Verb};
use crate::ports::{DriftState, Member, Proposal, Reason, ResourceDrift, StackEvent};
use crate::render::{self, Resource};
use crate::yaml::Node;

use super::{marks, readback, services::DAY};

mod told;

const STACK: &str = "AWS::CloudFormation::Stack";

/// Time between two states of a stack that was put into one.
const BEAT: Duration = Duration::from_secs(5);

/// A stack, living or deleted.
#[derive(Clone)]
pub(super) struct Sim {
    pub(super) proposal: Proposal,
    pub(super) arn: String,
    pub(super) protected: bool,
    /// From when on it is in which status.
    phases: Vec<(Duration, String)>,
    events: Vec<(Duration, StackEvent)>,
    /// When what it makes answers from outside.
    answers_at: Option<Duration>,
    /// What its template says, read once.
    root: Node,
    resources: Vec<Resource>,
    /// The policies of its role, read once.
    rights: OnceCell<Vec<serde_json::Value>>,
    pub(super) outputs: Outputs,
    /// The function's versions, and which of them is live.
    versions: Vec<(String, String)>,
    pub(super) live: String,
    /// When its creation or last update began.
    pub(super) changed: Duration,
    /// From when on its roles and policies are as they are now.
    pub(super) role_changed: Option<Duration>,
    /// What validations and hooks said of the last operation.
    pub(super) reasons: Vec<Reason>,
    /// Ids of what it was made around, by logical id.
    pub(super) imported: BTreeMap<String, String>,
    /// Changes made outside the stack.
    pub(super) drifted: BTreeMap<String, DriftState>,
}

impl Sim {
    pub(super) fn new(proposal: Proposal, arn: String) -> Self {
        let mut stack = Self {
            resources: Vec::new(),
            root: Node::Null,
            rights: OnceCell::new(),
            proposal,
            arn,
            protected: true,
            phases: Vec::new(),
            events: Vec::new(),
            answers_at: None,
            outputs: Outputs::new(),
            versions: Vec::new(),
            live: String::new(),
            changed: Duration::ZERO,
            role_changed: None,
            reasons: Vec::new(),
            imported: BTreeMap::new(),
            drifted: BTreeMap::new(),
        };
        stack.read();
        stack
    }

    fn read(&mut self) {
        self.root = Node::parse(&self.proposal.body).unwrap_or(Node::Null);
        self.resources = render::resources(&self.root).unwrap_or_default();
        self.rights = OnceCell::new();
    }

    /// Its template.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    /// Each resource of its template.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &Node)> {
        let resources = self.root.get("Resources").map_or(&[][..], Node::entries);
        resources.iter().map(|(id, node)| (id.as_str(), node))
    }

    /// The policies of its role, as `read` finds them in the template.
    pub(super) fn rights(
        &self,
        read: impl FnOnce(&Node) -> Vec<serde_json::Value>,
    ) -> &[serde_json::Value] {
        self.rights.get_or_init(|| read(&self.root))
    }

    /// Makes the function's version, if the template has another one, and the right one live.
    fn publish(&mut self) {
        let version = self.resources.iter().find(|one| one.kind == "AWS::Lambda::Version");
        if let Some(version) = version
            && self.versions.last().is_none_or(|(id, _)| *id != version.id)
        {
            // The code's key is its digest: lambda/SHA256.zip.
            let before = self.proposal.body.split(".zip").next().unwrap_or_default();
            let sha256 = before.rsplit('/').next().unwrap_or_default().to_owned();
            self.versions.push((version.id.clone(), sha256));
        }
        self.live = match self.proposal.parameters.get("LiveVersion") {
            Some(version) if !version.is_empty() => version.clone(),
            _ => self.versions.len().to_string(),
        };
    }

    /// Takes another template.
    pub(super) fn take(&mut self, proposal: Proposal) {
        self.proposal = proposal;
        self.read();
    }

    /// The resources of its template.
    pub(super) fn resource_nodes(&self) -> &[(String, Node)] {
        self.root.get("Resources").map_or(&[][..], Node::entries)
    }

    /// Whether it has a resource of a type.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.resources.iter().any(|resource| resource.kind == kind)
    }

    /// How long it takes to remove.
    pub(super) fn delete_time(&self) -> Duration {
        pace::stack(&self.resources, Verb::Delete)
    }

    /// The digest of a version's code.
    pub(super) fn code_of(&self, version: &str) -> Option<String> {
        let number = version.parse::<usize>().ok()?;
        self.versions.get(number.checked_sub(1)?).map(|(_, sha256)| sha256.clone())
    }

    /// How its resources compare with the template.
    pub(super) fn drift(&self) -> Vec<ResourceDrift> {
        let one = |resource: &Resource| ResourceDrift {
            resource: resource.id.clone(),
            kind: resource.kind.clone(),
            physical: format!("{}-{}", self.proposal.name, resource.id),
            state: self.drifted.get(&resource.id).cloned().unwrap_or_else(|| {
                let node = self.root.get("Resources").and_then(|all| all.get(&resource.id));
                node.map_or(DriftState::InSync, |node| readback::state(&resource.kind, node))
            }),
        };
        self.resources.iter().map(one).collect()
    }

    pub(super) fn code(&self, now: Duration) -> &str {
        let current = self.phases.iter().rev().find(|(at, _)| *at <= now);
        current.map_or("", |(_, code)| code)
    }

    pub(super) fn is_there(&self, now: Duration) -> bool {
        self.code(now) != "DELETE_COMPLETE"
    }

    pub(super) fn is_named(&self, place: Place, name: &str, now: Duration) -> bool {
        let by_name = self.proposal.name == name && self.is_there(now);
        self.proposal.place == place && (self.arn == name || by_name)
    }

    /// Its resources, by their logical ids.
    pub(super) fn members(&self) -> Vec<Member> {
        let one = |resource: &Resource| Member {
            logical: resource.id.clone(),
            kind: resource.kind.clone(),
            physical: format!("{}-{}", self.proposal.name, resource.id),
        };
        self.resources.iter().map(one).collect()
    }

    /// Its statuses with their times, and what it was made of, to be compared.
    pub(super) fn dump(&self) -> String {
        let Proposal { place, name, body, parameters, tags, role, .. } = &self.proposal;
        let made_of = (place, name, marks::digest(body), parameters, tags, role);
        format!("{made_of:?} {} {:?} {:?}", self.protected, self.phases, self.outputs)
    }

    pub(super) fn answers(&self, now: Duration) -> bool {
        self.answers_at.is_some_and(|at| at <= now)
    }

    pub(super) fn seen(&self, now: Duration) -> StackSeen {
        let code = self.code(now).to_owned();
        let status = StackStatus::parse(&code);
        // A creation that was rolled back has nothing to say.
        let dead = matches!(status, StackStatus::Dead(_));
        StackSeen {
            arn: self.arn.clone(),
            status,
            code,
            reason: None,
            changed: Some(DAY + self.changed.as_secs()),
            parameters: self.shown(),
            outputs: if dead { Outputs::new() } else { self.outputs.clone() },
            tags: self.proposal.tags.clone(),
            protected: self.protected,
            role: self.proposal.role.clone(),
        }
    }

    /// Its parameters, as `CloudFormation` shows them.
    fn shown(&self) -> BTreeMap<String, String> {
        let secret = self.proposal.secrets.keys().map(|name| (name.clone(), "****".to_owned()));
        self.proposal.parameters.clone().into_iter().chain(secret).collect()
    }

    /// Whether it made this log group, and the group still exists.
    pub(super) fn has_log_group(&self, name: &str) -> bool {
        let resources = self.root.get("Resources").map_or(&[][..], Node::entries);
        resources.iter().any(|(id, node)| {
            let named = node.get("Properties").and_then(|p| p.get("LogGroupName"));
            let there = self.drifted.get(id) != Some(&DriftState::Deleted);
            named.and_then(Node::text) == Some(name) && there
        })
    }

    /// The logical id of its bucket.
    pub(super) fn bucket_id(&self) -> Option<String> {
        let mut resources = self.resources.iter();
        resources.find(|one| one.kind == "AWS::S3::Bucket").map(|one| one.id.clone())
    }

    /// Where its function logs, where it has one.
    pub(super) fn log_group(&self) -> Option<String> {
        let resources = self.root.get("Resources")?.entries();
        let group = |(_, node): &(String, Node)| {
            let name = node.get("Properties")?.get("LogGroupName")?.text()?;
            name.starts_with("/aws/lambda/").then(|| name.to_owned())
        };
        resources.iter().find_map(group)
    }

    /// The host names that it serves.
    pub(super) fn hosts(&self) -> Vec<String> {
        let names = ["DistributionDomain", "ApiBaseUrl", "AttachedDomain"].into_iter();
        let host = |url: &String| {
            url.trim_start_matches("https://").split('/').next().unwrap_or_default().to_owned()
        };
        names.filter_map(|name| self.outputs.get(name)).map(host).collect()
    }

    /// The events that have happened, newest first.
    pub(super) fn events(&self, now: Duration) -> Vec<StackEvent> {
        let mut past: Vec<_> = self.events.iter().filter(|(at, _)| *at <= now).collect();
        past.sort_by_key(|(at, _)| *at);
        past.into_iter().rev().map(|(_, event)| event.clone()).collect()
    }

    /// Puts it into a status now, and into those that follow, one after the other.
    pub(super) fn put(&mut self, now: Duration, code: &str, next: &[&'static str]) {
        self.phases.retain(|(at, _)| *at < now);
        self.phases.push((now, code.to_owned()));
        for (number, code) in (1..).zip(next) {
            let at = now + BEAT * number;
            self.phases.push((at, (*code).to_owned()));
            let name = self.proposal.name.clone();
            self.tell(at, Named { id: &name, kind: STACK }, code, None);
        }
    }

    /// Begins an operation on all resources.
    pub(super) fn begin(&mut self, now: Duration, verb: Verb) {
        let word = word(verb);
        let end = now + pace::stack(&self.resources, verb);
        if verb != Verb::Delete {
            self.changed = now;
        }
        for slot in pace::timeline(&self.resources, verb) {
            if slot.kind == "AWS::IAM::Role" && verb != Verb::Delete {
                // An express creation ends as soon as IAM has answered; every other operation
                // waits until the role has settled.
                let express = verb == Verb::Create && self.proposal.express;
                self.role_changed = Some(now + if express { slot.end } else { slot.begin });
            }
            let begun = format!("{word}_IN_PROGRESS");
            let named = Named { id: &slot.id, kind: &slot.kind };
            self.tell(now + slot.begin, named, &begun, None);
            self.tell(now + slot.end, named, &format!("{word}_COMPLETE"), None);
            if slot.kind == "AWS::CloudFront::Distribution" && verb == Verb::Create {
                self.answers_at = Some(now + slot.begin + pace::PROPAGATION);
            }
        }
        self.answers_at.get_or_insert(end);
        self.phase(now, &format!("{word}_IN_PROGRESS"));
        self.phase(end, &format!("{word}_COMPLETE"));
    }

    /// Begins to take over what is there, which touches no resource.
    pub(super) fn begin_import(&mut self, now: Duration) {
        self.changed = now;
        self.phase(now, "IMPORT_IN_PROGRESS");
        self.phase(now + BEAT, "IMPORT_COMPLETE");
    }

    /// Begins an operation in which a resource of this type fails, or else the first one, and which
    /// is rolled back.
    pub(super) fn fail(&mut self, now: Duration, verb: Verb, (kind, reason): (&str, &str)) {
        let word = word(verb);
        self.changed = now;
        let back = if verb == Verb::Create { "ROLLBACK" } else { "UPDATE_ROLLBACK" };
        self.phase(now, &format!("{word}_IN_PROGRESS"));
        let of_kind = self.resources.iter().find(|resource| resource.kind == kind);
        let first = of_kind.or_else(|| self.resources.first());
        let (id, kind) = first.map_or(("Thing".into(), "AWS::Some::Thing".into()), |first| {
            (first.id.clone(), first.kind.clone())
        });
        let echo = Some("Resource creation cancelled");
        let (first, other) =
            (Named { id: &id, kind: &kind }, Named { id: "Other", kind: "AWS::Some::Thing" });
        self.tell(now + BEAT, first, &format!("{word}_FAILED"), Some(reason));
        self.tell(now + BEAT, other, &format!("{word}_FAILED"), echo);
        self.phase(now + BEAT, &format!("{back}_IN_PROGRESS"));
        self.phase(now + BEAT * 2, &format!("{back}_COMPLETE"));
    }

    /// What happened until now, oldest first.
    pub(super) fn told(&self, now: Duration) -> Vec<(Duration, StackEvent)> {
        let mut told: Vec<_> = self.events.iter().filter(|(at, _)| *at <= now).cloned().collect();
        told.sort_by_key(|(at, _)| *at);
        told
    }

    /// Begins an operation that is refused before any resource is touched; its events say so, and
    /// not why.
    pub(super) fn refuse_early(&mut self, now: Duration, reason: Reason) {
        self.changed = now;
        self.phase(now, "CREATE_IN_PROGRESS");
        self.reasons = vec![reason];
        self.phase(now + BEAT, "ROLLBACK_COMPLETE");
    }

    fn phase(&mut self, at: Duration, code: &str) {
        self.phases.push((at, code.to_owned()));
        let name = self.proposal.name.clone();
        self.tell(at, Named { id: &name, kind: STACK }, code, None);
    }

    fn tell(&mut self, at: Duration, named: Named<'_>, status: &str, why: Option<&str>) {
        let id = format!("{}-{}", self.arn, self.events.len());
        let (resource, kind) = (named.id.to_owned(), named.kind.to_owned());
        let (status, reason) = (status.to_owned(), why.map(str::to_owned));
        let token = self.proposal.token.clone();
        self.events.push((at, StackEvent { id, resource, kind, status, reason, token }));
    }
}

/// A resource of a stack, or the stack itself.
#[derive(Clone, Copy)]
struct Named<'a> {
    id: &'a str,
    kind: &'a str,
}

fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "CREATE",
        Verb::Update => "UPDATE",
        Verb::Delete => "DELETE",
    }
}
