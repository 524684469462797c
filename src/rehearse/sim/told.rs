//! What the account says of a stack: names with its own id and Region, and the stack's outputs.

use super::Sim;
use crate::model::{Outputs, Place};
use crate::ports::Proposal;
use crate::rehearse::Account;
use crate::render;
use crate::yaml::Node;

impl Account {
    /// The bucket that a template makes.
    pub(in crate::rehearse) fn bucket_of(&self, stack: &Sim) -> Option<String> {
        let resources = stack.root.get("Resources")?.entries();
        let name = |(_, node): &(String, Node)| {
            let name = node.get("Properties")?.get("BucketName")?;
            Some(self.said(name, &stack.proposal))
        };
        resources.iter().find_map(name)
    }

    /// The tables that a template makes, whether they go with their stack, and their keys.
    pub(in crate::rehearse) fn tables_of(&self, stack: &Sim) -> Vec<(String, bool, Vec<String>)> {
        let resources = stack.root.get("Resources").map_or(&[][..], Node::entries);
        let table = |(_, node): &(String, Node)| {
            let name = node.get("Properties")?.get("TableName")?;
            let goes = node.get("DeletionPolicy").and_then(Node::text) == Some("Delete");
            Some((self.said(name, &stack.proposal), goes, render::table_keys(node)))
        };
        resources.iter().filter_map(table).collect()
    }

    /// The id of the user pool that a template makes, or was made around.
    pub(in crate::rehearse) fn pool_of(stack: &Sim) -> Option<String> {
        Self::drawn_of(stack, "AWS::Cognito::UserPool", "UserPoolId")
    }

    /// The ARN of a user pool.
    pub(in crate::rehearse) fn pool_arn(&self, id: &str) -> String {
        format!("arn:aws:cognito-idp:{}:{}:userpool/{id}", self.home, self.id)
    }

    /// The ARN of the key that a template makes, or was made around.
    pub(in crate::rehearse) fn key_of(&self, stack: &Sim) -> Option<String> {
        let id = Self::drawn_of(stack, "AWS::KMS::Key", "CertSigningKeyArn")?;
        Some(self.key_arn(&id))
    }

    /// The ARN of a key.
    pub(in crate::rehearse) fn key_arn(&self, id: &str) -> String {
        format!("arn:aws:kms:{}:{}:key/{id}", self.home, self.id)
    }

    fn drawn_of(stack: &Sim, kind: &str, what: &str) -> Option<String> {
        let found = stack.resources.iter().find(|one| one.kind == kind)?;
        let taken = stack.imported.get(&found.id).cloned();
        Some(taken.unwrap_or_else(|| drawn(what, stack)))
    }

    /// Marks of the user pool and the key of a stack, and whether they go with it.
    pub(in crate::rehearse) fn accounts_of(&self, stack: &Sim) -> Vec<(String, bool)> {
        let goes = |kind: &str| {
            let node =
                stack.each().find(|(_, node)| node.get("Type").and_then(Node::text) == Some(kind));
            node.is_some_and(|(_, node)| {
                node.get("DeletionPolicy").and_then(Node::text) == Some("Delete")
            })
        };
        let pool =
            Self::pool_of(stack).map(|id| (format!("pool {id}"), goes("AWS::Cognito::UserPool")));
        let key = self.key_of(stack).map(|arn| (format!("key {arn}"), goes("AWS::KMS::Key")));
        pool.into_iter().chain(key).collect()
    }

    /// A text with the account's own words in it.
    pub(in crate::rehearse) fn said(&self, node: &Node, proposal: &Proposal) -> String {
        let text = match node {
            Node::Call(_, argument) => argument.text(),
            node => node.text(),
        };
        let home = proposal.place == Place::Home;
        let region = if home { self.home.as_str() } else { "us-east-1" };
        let text = text.unwrap_or_default().replace("${AWS::AccountId}", &self.id.to_string());
        text.replace("${AWS::Region}", region)
    }

    /// A stack's outputs: literals unchanged, everything else made up in AWS's manner.
    pub(in crate::rehearse) fn told_by(&self, stack: &mut Sim) -> Outputs {
        stack.publish();
        let identity = self.identity_of(stack);
        let proposal = &stack.proposal;
        let entries = stack.root.get("Outputs").map_or(&[][..], Node::entries);
        let region = &self.home;
        let given = |name: &Node| name.text().and_then(|name| proposal.parameters.get(name));
        let told = |(name, node): &(String, Node)| {
            let id = made_up(&stack.arn);
            let value = match (node.get("Value"), name.as_str()) {
                (Some(Node::Text(literal)), _) => literal.clone(),
                (Some(Node::Call(word, name)), _) if word == "Ref" && given(name).is_some() => {
                    given(name).cloned().unwrap_or_default()
                }
                (_, "DistributionDomain") => format!("d{id}.cloudfront.net"),
                (_, "DistributionId") => format!("E{}", id.to_uppercase()),
                (_, "ApiBaseUrl") => {
                    format!("https://{id}.execute-api.{region}.amazonaws.com/prod")
                }
                (_, "LiveVersion") => stack.live.clone(),
                (_, "NewVersion") => stack.versions.len().to_string(),
                (_, name) if name.starts_with("DkimName") && identity.is_some() => {
                    let domain = identity.as_ref().map(ToString::to_string).unwrap_or_default();
                    format!("qm5c3z._domainkey.{domain}")
                }
                (_, name) if name.ends_with("BucketName") => {
                    self.bucket_of(stack).unwrap_or_default()
                }
                (_, "UserPoolId") => Self::pool_of(stack).unwrap_or_default(),
                (_, "UserPoolArn") => self.pool_arn(&Self::pool_of(stack).unwrap_or_default()),
                (_, "CertSigningKeyArn") => self.key_of(stack).unwrap_or_default(),
                // What has no name of its own gets another id each time.
                (_, "ApiClientId") => drawn("ApiClientId", stack),
                (_, name) => format!("{name}-of-{}", proposal.name),
            };
            (name.clone(), value)
        };
        entries.iter().map(told).collect()
    }
}

/// An id that AWS draws: another one for each stack of a name.
fn drawn(what: &str, stack: &Sim) -> String {
    let name = &stack.proposal.name;
    if stack.arn.ends_with("/0") {
        return format!("{what}-of-{name}");
    }
    format!("{what}-{}-of-{name}", made_up(&stack.arn))
}

/// Ten letters and digits that a name always gives.
fn made_up(name: &str) -> String {
    use sha2::{Digest, Sha256};
    render::hex(&Sha256::digest(name))[..10].to_owned()
}
