//! What was added beside the templates: policies of the roles, ways to the function, clients of
//! the user pool, rules for other origins. `CloudFormation` compares only what a template says.

use std::collections::BTreeSet;

use super::kinds::{self, Kind};
use super::{Finding, Subject, finding};
use crate::execute::Job;
use crate::failure::{Failure, Kind as FailureKind};
use crate::model::Stack;
use crate::ports::{Extra, ResourceDrift};
use crate::yaml::Node;

/// Who may call the function in the galaxy's own name.
const CALLERS: [&str; 2] = ["apigateway.amazonaws.com", "events.amazonaws.com"];

/// Looks at one stack with its resources.
pub(super) async fn find(
    job: &Job,
    stack: Stack,
    resources: &[&ResourceDrift],
) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    let of_kind = |kind: &'static str| resources.iter().filter(move |one| one.kind == kind);
    let looks = &job.world.inspection;
    let roles: Vec<_> = of_kind("AWS::IAM::Role").collect();
    let functions: Vec<_> = of_kind("AWS::Lambda::Function").collect();
    let own = if roles.is_empty() && functions.is_empty() {
        Own::default()
    } else {
        Own::read(job, stack, resources).await?
    };
    for role in roles {
        let extras = looks.role(&role.physical).await?;
        found.extend(extras.into_iter().filter(|extra| !own.has(extra)).map(|e| (role, e)));
    }
    for function in functions {
        let extras = looks.function(&function.physical).await?;
        found.extend(extras.into_iter().filter(|extra| !own.has(extra)).map(|e| (function, e)));
    }
    let ours: BTreeSet<&str> = of_kind("AWS::Cognito::UserPoolClient")
        .map(|client| client.physical.rsplit('|').next().unwrap_or_default())
        .collect();
    for pool in of_kind("AWS::Cognito::UserPool") {
        let extras = looks.clients(&pool.physical).await?;
        let strange = |extra: &Extra| match extra {
            Extra::Client { id, .. } => !ours.contains(id.as_str()),
            _ => false,
        };
        found.extend(extras.into_iter().filter(strange).map(|extra| (pool, extra)));
    }
    for bucket in of_kind("AWS::S3::Bucket") {
        let extra = looks.cors(stack.place(), &bucket.physical).await?;
        found.extend(extra.map(|extra| (bucket, extra)));
    }
    Ok(found.into_iter().map(|(of, extra)| tell(stack, &of.resource, extra)).collect())
}

fn tell(stack: Stack, id: &str, extra: Extra) -> Finding {
    let (kind, detail): (Kind, String) = match &extra {
        Extra::Attached { .. } => {
            (kinds::POLICY_ATTACHED, "a policy that the template does not attach".into())
        }
        Extra::Inlined { .. } => {
            (kinds::POLICY_INLINED, "a policy that the template does not have".into())
        }
        Extra::Weights { to, .. } => (kinds::WEIGHTS, format!("not all calls are its own: {to}")),
        Extra::Permission { who, .. } => (kinds::PERMISSION, format!("it lets {who} call")),
        Extra::Url { auth, .. } => {
            let who = if auth == "NONE" { "everyone" } else { "callers with a signature" };
            (kinds::URL, format!("{who} can call past the API and its throttles"))
        }
        Extra::Concurrency { limit: 0, .. } => {
            (kinds::CONCURRENCY, "it answers no call at all: the limit is 0".into())
        }
        Extra::Concurrency { limit, .. } => {
            (kinds::CONCURRENCY, format!("it answers {limit} calls at once and no more"))
        }
        Extra::Client { name, .. } => {
            (kinds::CLIENT, format!("the client `{name}` can sign people in past the API"))
        }
        Extra::Cors { .. } => (kinds::CORS, "other origins may read it".into()),
    };
    finding(kind, Subject::Extra { stack, id: id.to_owned(), extra }, detail)
}

/// What the template itself gives to roles and function.
#[derive(Default)]
struct Own {
    inlined: BTreeSet<String>,
    attached: BTreeSet<String>,
    permissions: BTreeSet<String>,
    limited: bool,
}

impl Own {
    /// Reads it from the template that the stack has, which may be another release's.
    async fn read(job: &Job, stack: Stack, resources: &[&ResourceDrift]) -> Result<Self, Failure> {
        let name = stack.name(&job.facts.config.name);
        let body = job.world.stacks.template(stack.place(), &name).await?;
        let root = Node::parse(&body).map_err(|error| {
            Failure::new(FailureKind::Settled, format!("the template of `{name}` can't be read"))
                .cause(error.to_string())
                .help("`spaceduck install` brings the stack back to this release's template")
        })?;
        let mut own = Self::default();
        for (_, node) in root.get("Resources").map_or(&[][..], Node::entries) {
            let Some(properties) = node.get("Properties") else { continue };
            own.limited |= properties.get("ReservedConcurrentExecutions").is_some();
            own.inlined.extend(texts(properties.get("PolicyName")));
            for policy in items(properties.get("Policies")) {
                own.inlined.extend(texts(policy.get("PolicyName")));
            }
            own.attached
                .extend(items(properties.get("ManagedPolicyArns")).filter_map(|n| texts(Some(n))));
        }
        for one in resources {
            let id = one.physical.rsplit('|').next().unwrap_or_default().to_owned();
            match one.kind.as_str() {
                "AWS::IAM::ManagedPolicy" => own.attached.insert(one.physical.clone()),
                "AWS::IAM::Policy" | "AWS::IAM::RolePolicy" => own.inlined.insert(id),
                "AWS::Lambda::Permission" => own.permissions.insert(id),
                _ => false,
            };
        }
        Ok(own)
    }

    fn has(&self, extra: &Extra) -> bool {
        match extra {
            Extra::Attached { arn, .. } => self.attached.contains(arn),
            Extra::Inlined { name, .. } => self.inlined.contains(name),
            Extra::Permission { id, who, .. } => {
                self.permissions.contains(id) && CALLERS.contains(&who.as_str())
            }
            // CloudFormation compares a limit that the template sets.
            Extra::Concurrency { .. } => self.limited,
            _ => false,
        }
    }
}

fn texts(node: Option<&Node>) -> Option<String> {
    node.and_then(Node::text).map(str::to_owned)
}

fn items(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    match node {
        Some(Node::List(items)) => items.iter(),
        _ => [].iter(),
    }
}
