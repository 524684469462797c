//! Which actions the caller may use, according to IAM's simulator.

use aws_config::SdkConfig;
use aws_wire::{Client, Element, IAM};

use crate::aws::error::translate;
use crate::aws::iam;
use crate::failure::{Failure, Kind};
use crate::ports::{Denied, Wish};

/// The client, and who is asking.
pub(super) struct Rights {
    client: Client,
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
        Self { client: Client::new(&IAM, config), caller: caller.to_owned() }
    }

    pub(super) async fn denied(&self, wishes: &[Wish]) -> Result<Vec<Denied>, Failure> {
        let source = match Principal::parse(&self.caller) {
            Principal::Root => return Ok(Vec::new()),
            Principal::User(arn) => arn,
            Principal::Role(name) => {
                let role = iam::role(&self.client, &name).await;
                let role = role.map_err(|error| translate("looking at our role", None, &error))?;
                role.text("Arn").unwrap_or_default().to_owned()
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
        let context: Vec<(&str, &[String])> =
            wish.conditions.iter().map(|(key, values)| (*key, values.as_slice())).collect();
        let resources: Vec<String> = wish.resources.iter().map(|arn| example(arn)).collect();
        let asked = (wish.actions.as_slice(), resources.as_slice());
        let answer = iam::simulate(&self.client, source, asked, &context).await;
        let results = answer.map_err(|error| translate("simulating our rights", None, &error))?;
        Ok(results.iter().filter_map(|result| judged(result, wish)).collect())
    }
}

/// A right covers all resources of a kind; the simulator is asked about one of them.
fn example(arn: &str) -> String {
    if arn == "*" { arn.to_owned() } else { arn.replace('*', "example") }
}

fn judged(result: &Element, wish: &Wish) -> Option<Denied> {
    let forbidden = match result.text("EvalDecision") {
        Some("allowed") => return None,
        Some("explicitDeny") => true,
        _ => {
            let by_organisation = result.at("OrganizationsDecisionDetail");
            by_organisation.is_some_and(|told| told.text("AllowedByOrganizations") != Some("true"))
        }
    };
    let asked = result.text("EvalResourceName").unwrap_or("*");
    let resource = wish.resources.iter().find(|arn| example(arn) == asked);
    Some(Denied {
        action: result.text("EvalActionName").unwrap_or_default().to_owned(),
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
