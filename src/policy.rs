//! What whoever installs has to be allowed: every call to AWS with its actions, and the policy
//! made of it for one galaxy. Pure.
//!
//! The stacks are made by `CloudFormation` under a role of its own. Only the stack that brings this
//! role is made in the caller's name, so the caller needs what that one takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::{AccountId, GalaxyName, Place, Region, Stack};

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
    /// The roles of the stacks.
    Roles,
    /// The boundary of all roles that stacks make.
    Boundary,
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
    /// The registry's entries about this galaxy, in us-east-1.
    Registry,
    /// The registry's entries about every galaxy of the account, to read them.
    Galaxies,
    /// The tables.
    Tables,
    /// The user pool, by its tag.
    UserPool,
    /// The key, by its tag, to read what it is.
    Keys,
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
    /// The role by which Cognito sends through SES.
    SenderRole,
    /// Whoever might be asking.
    Principals,
    /// The quotas of `CloudFront` and API Gateway.
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
            On::SenderRole => {
                let service = "email.cognito-idp.amazonaws.com".to_owned();
                Some(Condition::Is("iam:AWSServiceName", service))
            }
            On::Distributions | On::UserPool | On::Keys | On::OwnCertificates => {
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

/// The function's name behind the galaxy's.
const FUNCTION: &str = "beak";

/// The galaxy's sites, each with its bucket, functions and logs.
fn sites() -> impl Iterator<Item = &'static str> {
    galaxy_sites::Site::ALL.into_iter().map(galaxy_sites::Site::name)
}

/// Names are exact, or a galaxy `pond` would reach one that is called `pond-b`.
fn resources(on: On, subject: Subject) -> Vec<String> {
    let Subject { name, account, region } = subject;
    let edge = Region::edge();
    let mut arns = match on {
        On::Anything => return vec!["*".into()],
        On::Stacks => stacks(subject),
        On::ArtifactBucket => vec![format!("s3:::{}", artifacts(subject))],
        On::StackRole | On::HandOver => {
            vec![format!("iam::{account}:role/spaceduck/{name}-bootstrap-CfnServiceRole-*")]
        }
        On::Roles => ["bootstrap-CfnServiceRole", "api-FunctionRole"]
            .iter()
            .map(|role| format!("iam::{account}:role/spaceduck/{name}-{role}-*"))
            .collect(),
        On::Boundary => vec![format!("iam::{account}:policy/spaceduck/{name}-boundary")],
        On::Buckets => buckets(subject).map(|bucket| format!("s3:::{bucket}")).collect(),
        On::Objects => buckets(subject).map(|bucket| format!("s3:::{bucket}/*")).collect(),
        On::Distributions => vec![format!("cloudfront::{account}:distribution/*")],
        On::EdgeFunctions => {
            let all = sites().chain(["api"]);
            all.map(|part| format!("cloudfront::{account}:function/{name}-{part}")).collect()
        }
        On::Function => {
            let function = format!("lambda:{region}:{account}:function:{name}-{FUNCTION}");
            vec![format!("{function}:*"), function]
        }
        On::Parameters => vec![format!("ssm:{region}:{account}:parameter/{name}/*")],
        On::Registry => {
            vec![format!("ssm:{edge}:{account}:parameter/_spaceduck/galaxies/{name}/*")]
        }
        On::Galaxies => ["galaxies", "galaxies/*", "clock"]
            .iter()
            .map(|path| format!("ssm:{edge}:{account}:parameter/_spaceduck/{path}"))
            .collect(),
        On::Tables => ["eggs", "ducklings", "newsletter", "pecks", "certs", "ledger"]
            .iter()
            .map(|table| format!("dynamodb:{region}:{account}:table/{name}-{table}"))
            .collect(),
        On::UserPool => vec![format!("cognito-idp:{region}:{account}:userpool/*")],
        On::Keys => vec![format!("kms:{region}:{account}:key/*")],
        On::Logs => [format!("lambda/{name}-{FUNCTION}"), format!("vendedlogs/{name}-api")]
            .iter()
            .map(|group| format!("logs:{region}:{account}:log-group:/aws/{group}:*"))
            .collect(),
        On::DeliverySources => sites()
            .map(|site| format!("logs:{edge}:{account}:delivery-source:{name}-{site}"))
            .collect(),
        On::DeliveryDestinations => sites()
            .map(|site| format!("logs:{edge}:{account}:delivery-destination:{name}-{site}"))
            .collect(),
        On::ConfigurationSets => ["tx", "news"]
            .iter()
            .map(|set| format!("ses:{region}:{account}:configuration-set/{name}-{set}"))
            .collect(),
        On::Identities => vec![format!("ses:{region}:{account}:identity/*")],
        On::Certificates | On::OwnCertificates => {
            let at = |region: &Region| format!("acm:{region}:{account}:certificate/*");
            vec![at(region), at(&edge)]
        }
        On::HostedZones | On::HostedRecords => vec!["route53:::hostedzone/*".into()],
        On::SenderRole => {
            let service = "email.cognito-idp.amazonaws.com";
            vec![format!("iam::{account}:role/aws-service-role/{service}/*")]
        }
        On::Principals => {
            vec![format!("iam::{account}:role/*"), format!("iam::{account}:user/*")]
        }
        On::Quotas => vec![
            format!("servicequotas:{edge}:{account}:cloudfront/*"),
            format!("servicequotas:{region}:{account}:apigateway/*"),
        ],
    };
    arns.dedup();
    arns.into_iter().map(|rest| format!("arn:aws:{rest}")).collect()
}

/// Each stack in its Region, with the id that AWS draws for it.
fn stacks(Subject { name, account, region }: Subject) -> Vec<String> {
    let edge = Region::edge();
    let one = |stack: Stack| {
        let region = if stack.place() == Place::Home { region } else { &edge };
        format!("cloudformation:{region}:{account}:stack/{}/*", stack.name(name))
    };
    Stack::all().into_iter().map(one).collect()
}

fn artifacts(Subject { name, account, region }: Subject) -> String {
    format!("{name}-artifacts-{account}-{region}-an")
}

fn buckets(subject: Subject) -> impl Iterator<Item = String> {
    let Subject { name, account, .. } = subject;
    let edge = Region::edge();
    let sites = sites().map(move |site| format!("{name}-{site}-{account}-{edge}-an"));
    std::iter::once(artifacts(subject)).chain(sites)
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
