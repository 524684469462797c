//! What whoever installs has to be allowed: every call to AWS with its actions, and the policy
//! made of it for one galaxy. Pure.
//!
//! The stacks are made by `CloudFormation` under a role of its own. Only the stack that brings this
//! role is made in the caller's name, so the caller needs what that one takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{AccountId, GalaxyName, Region};

mod table;

pub use table::{CALLS, CREATED_IN_OUR_NAME};

/// A managed policy takes this many characters, white space not counted.
/// Source: "IAM and AWS STS quotas", IAM User Guide.
pub const LIMIT_CHARACTERS: usize = 6_144;

/// One call of the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The service, as the SDK's crate is called behind `aws-sdk-`.
    pub service: &'static str,
    /// The operation, as the SDK's method is called.
    pub operation: &'static str,
    /// The actions that it takes; none where everybody may.
    pub actions: &'static [&'static str],
    /// On what.
    pub on: On,
    /// Whether nothing but a look before an installation needs it.
    pub spare: bool,
}

/// Whether an installation goes through without an action.
#[must_use]
pub fn is_spare(action: &str) -> bool {
    let named = |actions: &[&str]| actions.contains(&action);
    let needed = CALLS.iter().any(|call| !call.spare && named(call.actions));
    !needed && !CREATED_IN_OUR_NAME.iter().any(|(_, actions)| named(actions))
}

/// What an action is allowed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// Actions that know no resources.
    Anything,
    /// The galaxy's stacks in both Regions.
    Stacks,
    /// The bucket and the role that the first stack makes.
    ArtifactBucket,
    /// The role that `CloudFormation` works with.
    StackRole,
    /// As [`On::StackRole`], to hand it over and nothing else.
    HandOver,
    /// The galaxy's buckets.
    Buckets,
    /// What lies in them.
    Objects,
    /// The galaxy's distributions, by their tag: their ids are not known beforehand.
    Distributions,
    /// The functions at the edge.
    EdgeFunctions,
    /// The Lambda function with its versions.
    Function,
    /// Secrets and notes.
    Parameters,
    /// The tables.
    Tables,
    /// The user pool, by its tag.
    UserPool,
    /// What function and gateway log.
    Logs,
    /// Where logs of the edge come from.
    DeliverySources,
    /// Where logs of the edge go to.
    DeliveryDestinations,
    /// The configuration sets of mail.
    ConfigurationSets,
    /// Mail domains and addresses: which, the person decides.
    Identities,
    /// Certificates in both Regions: their ids are drawn by AWS.
    Certificates,
    /// Those among them that carry the galaxy's tag.
    OwnCertificates,
    /// Zones in Route 53: which, the person's domains decide.
    HostedZones,
    /// Records in them, of the types that are made, and nothing written over.
    HostedRecords,
    /// Whoever might be asking.
    Principals,
    /// `CloudFront`'s quotas.
    Quotas,
}

/// One galaxy.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name.
    pub name: &'a GalaxyName,
    /// The account.
    pub account: &'a AccountId,
    /// The home Region.
    pub region: &'a Region,
}

/// Some actions that are allowed on the same things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is about.
    pub on: On,
    /// The actions, sorted.
    pub actions: Vec<&'static str>,
    /// ARNs, with `*` where not everything is known.
    pub resources: Vec<String>,
    /// What has to be true besides.
    pub condition: Option<Condition>,
}

/// What has to be true of a request besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// This key has this value.
    Is(&'static str, String),
    /// Each of these keys has no other values than these.
    Only(&'static [(&'static str, &'static [&'static str])]),
}

impl Condition {
    /// Its keys, with values that it allows.
    #[must_use]
    pub fn allowed(&self) -> Vec<(&'static str, Vec<String>)> {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        match self {
            Self::Is(key, value) => vec![(*key, vec![value.clone()])],
            Self::Only(keys) => keys.iter().map(|(key, values)| (*key, owned(values))).collect(),
        }
    }

    fn to_json(&self) -> Value {
        let (operator, keys): (_, BTreeMap<&str, Value>) = match self {
            Self::Is(key, value) => ("StringEquals", [(*key, json!(value))].into()),
            Self::Only(keys) => (
                "ForAllValues:StringEquals",
                keys.iter().map(|(key, values)| (*key, json!(values))).collect(),
            ),
        };
        json!({ operator: keys })
    }
}

/// How records may be changed: made and removed, never written over.
/// Source: "Using IAM policy conditions for fine-grained access control", Amazon Route 53
/// Developer Guide.
const RECORDS: &[(&str, &[&str])] = &[
    ("route53:ChangeResourceRecordSetsActions", &["CREATE", "DELETE"]),
    ("route53:ChangeResourceRecordSetsRecordTypes", &["A", "AAAA", "CNAME", "MX", "TXT"]),
];

/// The tag by which resources without a name of their own are known.
const TAG: &str = "aws:ResourceTag/spaceduck:install";

/// Everything that is needed for a galaxy's life, from `doctor` to `teardown`.
#[must_use]
pub fn statements(subject: Subject) -> Vec<Statement> {
    let mut all: BTreeMap<On, Vec<&'static str>> = BTreeMap::new();
    let ours = CALLS.iter().map(|call| (call.on, call.actions));
    for (on, actions) in ours.chain(CREATED_IN_OUR_NAME.iter().copied()) {
        all.entry(on).or_default().extend(actions);
    }
    let statement = |(on, mut actions): (On, Vec<&'static str>)| {
        actions.sort_unstable();
        actions.dedup();
        let condition = match on {
            On::HandOver => {
                let service = "cloudformation.amazonaws.com".to_owned();
                Some(Condition::Is("iam:PassedToService", service))
            }
            On::Distributions | On::UserPool | On::OwnCertificates => {
                Some(Condition::Is(TAG, subject.name.to_string()))
            }
            On::HostedRecords => Some(Condition::Only(RECORDS)),
            _ => None,
        };
        Statement { on, actions, resources: resources(on, subject), condition }
    };
    let empty = |statement: &Statement| statement.actions.is_empty();
    all.into_iter().map(statement).filter(|statement| !empty(statement)).collect()
}

fn resources(on: On, subject: Subject) -> Vec<String> {
    let Subject { name, account, region } = subject;
    let edge = Region::edge();
    let stacks = |region: &Region| format!("cloudformation:{region}:{account}:stack/{name}-*/*");
    let role = format!("iam::{account}:role/spaceduck/{name}-bootstrap-*");
    let bucket = format!("s3:::{name}-*-{account}-*-an");
    let mut arns = match on {
        On::Anything => return vec!["*".into()],
        On::Stacks => vec![stacks(region), stacks(&edge)],
        On::ArtifactBucket => vec![format!("s3:::{name}-artifacts-{account}-{region}-an")],
        On::StackRole | On::HandOver => vec![role],
        On::Buckets => vec![bucket],
        On::Objects => vec![format!("{bucket}/*")],
        On::Distributions => vec![format!("cloudfront::{account}:distribution/*")],
        On::EdgeFunctions => vec![format!("cloudfront::{account}:function/{name}-*")],
        On::Function => vec![format!("lambda:{region}:{account}:function:{name}-*")],
        On::Parameters => vec![format!("ssm:{region}:{account}:parameter/{name}/*")],
        On::Tables => vec![format!("dynamodb:{region}:{account}:table/{name}-*")],
        On::UserPool => vec![format!("cognito-idp:{region}:{account}:userpool/*")],
        On::Logs => vec![format!("logs:{region}:{account}:log-group:/aws/*/{name}-*")],
        On::DeliverySources => vec![format!("logs:{edge}:{account}:delivery-source:{name}-*")],
        On::DeliveryDestinations => {
            vec![format!("logs:{edge}:{account}:delivery-destination:{name}-*")]
        }
        On::ConfigurationSets => {
            vec![format!("ses:{region}:{account}:configuration-set/{name}-*")]
        }
        On::Identities => vec![format!("ses:{region}:{account}:identity/*")],
        On::Certificates | On::OwnCertificates => {
            let at = |region: &Region| format!("acm:{region}:{account}:certificate/*");
            vec![at(region), at(&edge)]
        }
        On::HostedZones | On::HostedRecords => vec!["route53:::hostedzone/*".into()],
        On::Principals => {
            vec![format!("iam::{account}:role/*"), format!("iam::{account}:user/*")]
        }
        On::Quotas => vec![format!("servicequotas:{edge}:{account}:cloudfront/*")],
    };
    arns.dedup();
    arns.into_iter().map(|rest| format!("arn:aws:{rest}")).collect()
}

/// The policy as documents that IAM takes: one, or several where one would be too long.
#[must_use]
pub fn documents(subject: Subject) -> Vec<Value> {
    let mut documents: Vec<Vec<Value>> = vec![Vec::new()];
    for statement in statements(subject) {
        let statement = statement.to_json();
        if let Some(last) = documents.last_mut() {
            last.push(statement.clone());
            if characters(&document(last)) > LIMIT_CHARACTERS && last.len() > 1 {
                last.pop();
                documents.push(vec![statement]);
            }
        }
    }
    documents.iter().map(|statements| document(statements)).collect()
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// How IAM counts.
#[must_use]
pub fn characters(document: &Value) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

impl Statement {
    fn to_json(&self) -> Value {
        let mut statement = json!({
            "Sid": format!("{:?}", self.on),
            "Effect": "Allow",
            "Action": self.actions,
            "Resource": self.resources,
        });
        if let Some(condition) = &self.condition {
            statement["Condition"] = condition.to_json();
        }
        statement
    }
}

#[cfg(test)]
mod tests;
