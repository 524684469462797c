//! What makes a stack of the account in memory fail, in CloudFormation's words.

use std::time::Duration;

use super::sim::Sim;
use super::{Fault, State, refuse};
use crate::failure::Failure;
use crate::ports::{Proposal, Reason};

/// A failure of the first resource that no table knows.
pub(super) const NO_GOOD: (&str, &str) = ("", "it is no good");
/// A domain that another distribution has, in CloudFormation's words.
pub(super) const TAKEN: (&str, &str) = (
    "AWS::CloudFront::Distribution",
    "Invalid request provided: AWS::CloudFront::Distribution: One or more of the CNAMEs you \
     provided are already associated with a different resource. (Service: CloudFront, Status \
     Code: 409)",
);

/// A user pool that is to send through SES in an account where Cognito has no role to.
const NO_SENDER: (&str, &str) = (
    "AWS::Cognito::UserPool",
    "User is not authorized to perform: iam:CreateServiceLinkedRole on resource: \
     arn:aws:iam::000000000000:role/aws-service-role/email.cognito-idp.amazonaws.com/\
     AWSServiceRoleForAmazonCognitoIdpEmailService (Service: CognitoIdentityProvider, Status \
     Code: 400)",
);

/// What a new account gets until AWS has verified it.
pub(super) const UNVERIFIED: (&str, &str) = (
    "AWS::CloudFront::Distribution",
    "Access denied for operation 'AWS::CloudFront::Distribution: Your account must be verified \
     before you can add new CloudFront resources. To verify your account, please contact AWS \
     Support and include this error message.'",
);

impl State {
    /// What an early validation or a hook has against a stack.
    pub(super) fn take_invalid(&mut self, name: &str) -> Option<Reason> {
        match self.take(|fault| matches!(fault, Fault::Invalid(stack, _) if stack == name))? {
            Fault::Invalid(_, reason) => Some(reason),
            _ => None,
        }
    }

    /// Why a template can't be carried out in the account as it is.
    pub(super) fn obstacle(&self, proposal: &Proposal) -> Option<(&'static str, &'static str)> {
        let by_ses = proposal.body.contains("EmailSendingAccount: DEVELOPER");
        (by_ses && !self.post.sender_role).then_some(NO_SENDER)
    }

    /// A stack that is not there yet, under a name that is free.
    pub(super) fn unborn(&self, proposal: &Proposal, now: Duration) -> Result<Sim, Failure> {
        let name = &proposal.name;
        if self.stacks.iter().any(|s| s.is_named(proposal.place, name, now)) {
            return Err(refuse(format!("the stack {name} is already there")));
        }
        let before = self.stacks.iter().filter(|s| s.proposal.name == *name).count();
        Ok(Sim::new(proposal.clone(), format!("arn:stack/{name}/{before}")))
    }

    /// Takes a fault out of the list, if it is there.
    pub(super) fn take(&mut self, is_it: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(is_it)?;
        Some(self.faults.remove(at))
    }
}
