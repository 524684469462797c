//! Which actions the caller may use, according to IAM's simulator.

use aws_config::SdkConfig;
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType,
};

use crate::aws::error::translate;
use crate::failure::{Failure, Kind};
use crate::ports::{Denied, Wish};

/// The SDK's client, and who is asking.
pub(super) struct Rights {
    client: aws_sdk_iam::Client,
    caller: String,
}

/// The caller, in a form that the simulator accepts.
#[derive(Debug, PartialEq, Eq)]
enum Principal {
    /// The account itself, which may do everything.
    Root,
    /// A user, by its ARN.
    User(String),
    /// A role, by its name: only IAM knows its path.
    Role(String),
    /// A caller whose rights can't be simulated.
    Other,
}

impl Principal {
    /// Source: "IAM identifiers", IAM User Guide.
    fn parse(caller: &str) -> Self {
        let parts: Vec<&str> = caller.splitn(6, ':').collect();
        match parts.as_slice() {
            [_, _, "iam", _, _, "root"] => Self::Root,
            [_, _, "iam", _, _, rest] if rest.starts_with("user/") => Self::User(caller.to_owned()),
            [_, _, "sts", _, _, rest] => match rest.split('/').collect::<Vec<_>>().as_slice() {
                ["assumed-role", role, _] => Self::Role((*role).to_owned()),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

impl Rights {
    pub(super) fn new(config: &SdkConfig, caller: &str) -> Self {
        Self { client: aws_sdk_iam::Client::new(config), caller: caller.to_owned() }
    }

    pub(super) async fn denied(&self, wishes: &[Wish]) -> Result<Vec<Denied>, Failure> {
        let source = match Principal::parse(&self.caller) {
            Principal::Root => return Ok(Vec::new()),
            Principal::User(arn) => arn,
            Principal::Role(name) => {
                let role = self.client.get_role().role_name(&name).send().await;
                let role = role.map_err(|error| translate("looking at our role", None, &error))?;
                role.role().map(|role| role.arn().to_owned()).unwrap_or_default()
            }
            Principal::Other => {
                let message = format!("IAM can't simulate `{}`", self.caller);
                return Err(Failure::new(Kind::Settled, message).help(
                    "sign in as an IAM user or with a role, and run the same command again",
                ));
            }
        };
        let mut denied = Vec::new();
        for wish in wishes {
            denied.extend(self.simulate(&source, wish).await?);
        }
        denied.sort();
        denied.dedup();
        Ok(denied)
    }

    async fn simulate(&self, source: &str, wish: &Wish) -> Result<Vec<Denied>, Failure> {
        let context = wish.conditions.iter().map(|(key, values)| {
            let one = values.len() == 1;
            let kind =
                if one { ContextKeyTypeEnum::String } else { ContextKeyTypeEnum::StringList };
            ContextEntry::builder()
                .context_key_name(*key)
                .set_context_key_values(Some(values.clone()))
                .context_key_type(kind)
                .build()
        });
        let context: Vec<ContextEntry> = context.collect();
        let answer = self
            .client
            .simulate_principal_policy()
            .policy_source_arn(source)
            .set_action_names(Some(wish.actions.iter().map(|action| (*action).into()).collect()))
            .set_resource_arns(Some(wish.resources.iter().map(|arn| example(arn)).collect()))
            .set_context_entries((!context.is_empty()).then_some(context))
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await;
        let results = answer.map_err(|error| translate("simulating our rights", None, &error))?;
        Ok(results.iter().filter_map(|result| judged(result, wish)).collect())
    }
}

/// A right covers all resources of a kind; the simulator is asked about one of them.
fn example(arn: &str) -> String {
    if arn == "*" { arn.to_owned() } else { arn.replace('*', "example") }
}

fn judged(result: &EvaluationResult, wish: &Wish) -> Option<Denied> {
    let forbidden = match result.eval_decision() {
        PolicyEvaluationDecisionType::Allowed => return None,
        PolicyEvaluationDecisionType::ExplicitDeny => true,
        _ => {
            let by_organisation = result.organizations_decision_detail();
            by_organisation.is_some_and(|detail| !detail.allowed_by_organizations())
        }
    };
    let asked = result.eval_resource_name().unwrap_or("*");
    let resource = wish.resources.iter().find(|arn| example(arn) == asked);
    Some(Denied {
        action: result.eval_action_name().to_owned(),
        resource: resource.map_or(asked, String::as_str).to_owned(),
        forbidden,
    })
}

#[cfg(test)]
mod tests {
    use super::Principal;

    #[test]
    fn callers_are_told_apart() {
        let of = Principal::parse;
        assert_eq!(of("arn:aws:iam::111122223333:root"), Principal::Root);
        let user = "arn:aws:iam::111122223333:user/team/ann";
        assert_eq!(of(user), Principal::User(user.into()));
        assert_eq!(
            of("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0a1b/ann@example.com"),
            Principal::Role("AWSReservedSSO_Admin_0a1b".into())
        );
        assert_eq!(of("arn:aws:sts::111122223333:federated-user/ann"), Principal::Other);
        assert_eq!(of("nonsense"), Principal::Other);
    }
}
