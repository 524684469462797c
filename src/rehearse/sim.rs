//! A stack of the account in memory: its states and events lie on a line of time, and looking at
//! it means reading that line.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Outputs, Place, StackSeen, StackStatus};
use crate::pace::{self, Verb};
use crate::ports::{DriftState, Proposal, ResourceDrift, StackEvent};
use crate::render::{self, Resource};
use crate::yaml::Node;

use super::Account;

const STACK: &str = "AWS::CloudFormation::Stack";

/// Time between two states of a stack that was put into one.
const BEAT: Duration = Duration::from_secs(5);

/// A stack, living or deleted.
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
    pub(super) outputs: Outputs,
    /// The function's versions, and which of them is live.
    versions: Vec<(String, String)>,
    pub(super) live: String,
    /// What somebody else has changed.
    pub(super) drifted: BTreeMap<String, DriftState>,
}

impl Sim {
    pub(super) fn new(proposal: Proposal, arn: String) -> Self {
        let mut stack = Self {
            resources: Vec::new(),
            root: Node::Null,
            proposal,
            arn,
            protected: true,
            phases: Vec::new(),
            events: Vec::new(),
            answers_at: None,
            outputs: Outputs::new(),
            versions: Vec::new(),
            live: String::new(),
            drifted: BTreeMap::new(),
        };
        stack.read();
        stack
    }

    fn read(&mut self) {
        self.root = Node::parse(&self.proposal.body).unwrap_or(Node::Null);
        self.resources = render::resources(&self.root).unwrap_or_default();
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
            state: self.drifted.get(&resource.id).cloned().unwrap_or(DriftState::InSync),
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

    pub(super) fn answers(&self, now: Duration) -> bool {
        self.answers_at.is_some_and(|at| at <= now)
    }

    pub(super) fn seen(&self, now: Duration) -> StackSeen {
        let code = self.code(now).to_owned();
        StackSeen {
            arn: self.arn.clone(),
            status: StackStatus::parse(&code),
            code,
            reason: None,
            parameters: self.proposal.parameters.clone(),
            outputs: self.outputs.clone(),
        }
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

    /// The host names behind which it stands.
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
            self.tell(at, (&self.proposal.name.clone(), STACK), code, None);
        }
    }

    /// Begins an operation on all resources.
    pub(super) fn begin(&mut self, now: Duration, verb: Verb) {
        let word = word(verb);
        let end = now + pace::stack(&self.resources, verb);
        for slot in pace::timeline(&self.resources, verb) {
            let begun = format!("{word}_IN_PROGRESS");
            self.tell(now + slot.begin, (&slot.id, &slot.kind), &begun, None);
            self.tell(now + slot.end, (&slot.id, &slot.kind), &format!("{word}_COMPLETE"), None);
            if slot.kind == "AWS::CloudFront::Distribution" && verb == Verb::Create {
                self.answers_at = Some(now + slot.begin + pace::PROPAGATION);
            }
        }
        self.answers_at.get_or_insert(end);
        self.phase(now, &format!("{word}_IN_PROGRESS"));
        self.phase(end, &format!("{word}_COMPLETE"));
    }

    /// Begins an operation in which a resource of this type fails, or else the first one, and which
    /// is rolled back.
    pub(super) fn fail(&mut self, now: Duration, verb: Verb, (kind, reason): (&str, &str)) {
        let word = word(verb);
        let back = if verb == Verb::Create { "ROLLBACK" } else { "UPDATE_ROLLBACK" };
        self.phase(now, &format!("{word}_IN_PROGRESS"));
        let of_kind = self.resources.iter().find(|resource| resource.kind == kind);
        let first = of_kind.or_else(|| self.resources.first());
        let (id, kind) = first.map_or(("Thing".into(), "AWS::Some::Thing".into()), |first| {
            (first.id.clone(), first.kind.clone())
        });
        let echo = Some("Resource creation cancelled");
        self.tell(now + BEAT, (&id, &kind), &format!("{word}_FAILED"), Some(reason));
        self.tell(now + BEAT, ("Other", "AWS::Some::Thing"), &format!("{word}_FAILED"), echo);
        self.phase(now + BEAT, &format!("{back}_IN_PROGRESS"));
        self.phase(now + BEAT * 2, &format!("{back}_COMPLETE"));
    }

    fn phase(&mut self, at: Duration, code: &str) {
        self.phases.push((at, code.to_owned()));
        self.tell(at, (&self.proposal.name.clone(), STACK), code, None);
    }

    fn tell(&mut self, at: Duration, resource: (&str, &str), status: &str, why: Option<&str>) {
        let id = format!("{}-{}", self.arn, self.events.len());
        let (resource, kind) = (resource.0.to_owned(), resource.1.to_owned());
        let (status, reason) = (status.to_owned(), why.map(str::to_owned));
        self.events.push((at, StackEvent { id, resource, kind, status, reason }));
    }
}

fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "CREATE",
        Verb::Update => "UPDATE",
        Verb::Delete => "DELETE",
    }
}

impl Account {
    /// The bucket that a template makes.
    pub(super) fn bucket_of(&self, stack: &Sim) -> Option<String> {
        let resources = stack.root.get("Resources")?.entries();
        let name = |(_, node): &(String, Node)| {
            let name = node.get("Properties")?.get("BucketName")?;
            Some(self.said(name, &stack.proposal))
        };
        resources.iter().find_map(name)
    }

    /// The tables that a template makes, and whether they go with their stack.
    pub(super) fn tables_of(&self, stack: &Sim) -> Vec<(String, bool)> {
        let resources = stack.root.get("Resources").map_or(&[][..], Node::entries);
        let table = |(_, node): &(String, Node)| {
            let name = node.get("Properties")?.get("TableName")?;
            let goes = node.get("DeletionPolicy").and_then(Node::text) == Some("Delete");
            Some((self.said(name, &stack.proposal), goes))
        };
        resources.iter().filter_map(table).collect()
    }

    /// A text with the account's own words in it.
    fn said(&self, node: &Node, proposal: &Proposal) -> String {
        let text = match node {
            Node::Call(_, argument) => argument.text(),
            node => node.text(),
        };
        let home = proposal.place == Place::Home;
        let region = if home { self.home.as_str() } else { "us-east-1" };
        let text = text.unwrap_or_default().replace("${AWS::AccountId}", &self.id.to_string());
        text.replace("${AWS::Region}", region)
    }

    /// What a stack tells: literals as they stand, everything else made up in AWS's manner.
    pub(super) fn told_by(&self, stack: &mut Sim) -> Outputs {
        stack.publish();
        let proposal = &stack.proposal;
        let entries = stack.root.get("Outputs").map_or(&[][..], Node::entries);
        let region = &self.home;
        let told = |(name, node): &(String, Node)| {
            let id = made_up(&stack.arn);
            let value = match (node.get("Value"), name.as_str()) {
                (Some(Node::Text(literal)), _) => literal.clone(),
                (_, "DistributionDomain") => format!("d{id}.cloudfront.net"),
                (_, "DistributionId") => format!("E{}", id.to_uppercase()),
                (_, "ApiBaseUrl") => {
                    format!("https://{id}.execute-api.{region}.amazonaws.com/prod")
                }
                (_, "LiveVersion") => stack.live.clone(),
                (_, "NewVersion") => stack.versions.len().to_string(),
                (_, name) if name.ends_with("BucketName") => {
                    self.bucket_of(stack).unwrap_or_default()
                }
                (_, name) => format!("{name}-of-{}", proposal.name),
            };
            (name.clone(), value)
        };
        entries.iter().map(told).collect()
    }
}

/// Ten letters and digits that a name always gives.
fn made_up(name: &str) -> String {
    use sha2::{Digest, Sha256};
    render::hex(&Sha256::digest(name))[..10].to_owned()
}
