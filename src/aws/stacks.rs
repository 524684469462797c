//! Stacks in `CloudFormation`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::SdkError;
use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::operation::create_stack::{CreateStackError, CreateStackOutput};
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetType, DeploymentConfig, DeploymentConfigMode, DeploymentMode,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::{RetryConfig, RetrySpec};

use super::budget::Budget;
use super::error::{code, message, translate};
use crate::failure::Failure;
use crate::model::{Place, StackSeen};
use crate::ports::{
    ChangeSet, Fence, LockId, Mode, Proposal, Reason, ResourceDrift, Retained, StackEvent, Stacks,
};

mod change_sets;
mod drift;
mod reasons;
mod words;

use change_sets::changes_nothing;
use words::{event, parameters, seen, starts_an_operation, tags};

/// A new role takes some seconds until every part of AWS knows it.
const ROLE_PATIENCE: (usize, Duration) = (15, Duration::from_secs(4));

/// The SDK's clients of both Regions.
pub(super) struct CloudFormation {
    home: Client,
    edge: Client,
    budget: Budget,
    fence: Arc<Fence>,
}

/// A client whose calls share a lower rate once AWS has throttled one, until calls succeed again.
/// The older retry mode charges a retry five or ten calls of that rate: after one throttled call at
/// the start a client would stall for twenty seconds. Only here: uploads need no rate limit, and
/// one busy bucket must not slow down the others.
fn client(config: &SdkConfig) -> Client {
    let attempts = config.retry_config().map_or(3, RetryConfig::max_attempts);
    let retries = RetryConfig::adaptive().with_max_attempts(attempts);
    let retries = retries.with_retry_spec(RetrySpec::v2_1());
    let builder = aws_sdk_cloudformation::config::Builder::from(config).retry_config(retries);
    Client::from_conf(builder.build())
}

impl CloudFormation {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig, fence: Arc<Fence>) -> Self {
        Self { home: client(home), edge: client(edge), budget: Budget::new(), fence }
    }

    /// A unique name for one attempt, with the number of the lock that it is made under.
    fn token(&self) -> String {
        self.fence.token()
    }

    fn at(&self, place: Place) -> &Client {
        match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        }
    }

    /// The client for a read, once the rate limit allows it.
    async fn look(&self, place: Place) -> &Client {
        self.budget.turn().await;
        self.at(place)
    }

    async fn create_once(
        &self,
        proposal: &Proposal,
        token: &str,
    ) -> Result<CreateStackOutput, SdkError<CreateStackError>> {
        // Express: done when configured, not when the last edge location has it; we probe from
        // outside instead. It keeps its rollback only when this is set explicitly.
        // Source: "Express mode", AWS CloudFormation User Guide.
        let express = proposal.express.then(|| {
            DeploymentConfig::builder()
                .mode(DeploymentConfigMode::Express)
                .disable_rollback(false)
                .build()
        });
        self.at(proposal.place)
            .create_stack()
            .stack_name(&proposal.name)
            .template_body(&proposal.body)
            .set_parameters(Some(parameters(proposal)))
            .set_tags(Some(tags(&proposal.tags)))
            .set_role_arn(proposal.role.clone())
            .capabilities(Capability::CapabilityNamedIam)
            .enable_termination_protection(true)
            .set_deployment_config(express)
            .client_request_token(token)
            .send()
            .await
    }
}

#[async_trait]
impl Stacks for CloudFormation {
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure> {
        let answer = self.look(place).await.describe_stacks().stack_name(name).send().await;
        match answer {
            Ok(page) => Ok(page.stacks().first().map(seen)),
            // A missing stack is a ValidationError like many others; only its text differs.
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(translate(&format!("looking at the stack `{name}`"), None, &error)),
        }
    }

    async fn template(&self, place: Place, name: &str) -> Result<String, Failure> {
        let answer = self.look(place).await.get_template().stack_name(name).send().await;
        let answer = answer.map_err(|error| {
            translate(&format!("reading the template of `{name}`"), None, &error)
        })?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
    }

    async fn import(&self, proposal: &Proposal, things: &[Retained]) -> Result<String, Failure> {
        self.take_over(proposal, things).await
    }

    async fn create(&self, proposal: &Proposal) -> Result<String, Failure> {
        if proposal.mode == Mode::Adopt {
            return self.adopt(proposal).await;
        }
        // The same for every attempt: AWS then knows a repetition from a second creation.
        let token = proposal.token.clone().unwrap_or_else(|| self.token());
        let mut tries = 0;
        loop {
            match self.create_once(proposal, &token).await {
                Ok(created) => return Ok(created.stack_id().unwrap_or_default().to_owned()),
                // Ours, whose answer was lost, or one that another caller has just started: either
                // way we wait for it.
                Err(error) if code(&error) == Some("AlreadyExistsException") => {
                    let found = self.find(proposal.place, &proposal.name).await?;
                    return found.map(|stack| stack.arn).ok_or_else(|| {
                        translate(&format!("creating the stack `{}`", proposal.name), None, &error)
                    });
                }
                Err(error) if tries < ROLE_PATIENCE.0 && role_is_new(proposal, &error) => {
                    tries += 1;
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "AWS's pace: an account in memory has nothing to wait for"
                    )]
                    tokio::time::sleep(ROLE_PATIENCE.1).await;
                }
                Err(error) => {
                    let doing = format!("creating the stack `{}`", proposal.name);
                    return Err(translate(&doing, None, &error));
                }
            }
        }
    }

    async fn propose(&self, proposal: &Proposal) -> Result<Option<ChangeSet>, Failure> {
        let doing = format!("working out the update of `{}`", proposal.name);
        let reverts = proposal.mode == Mode::RevertDrift;
        let wanted = |set: CreateChangeSetFluentBuilder| {
            set.change_set_type(ChangeSetType::Update)
                .set_deployment_mode(reverts.then_some(DeploymentMode::RevertDrift))
        };
        let (arn, _) = match self.work_out(proposal, wanted, &doing).await {
            Err(failure) if failure.cause.as_deref().is_some_and(changes_nothing) => {
                return Ok(None);
            }
            worked_out => worked_out?,
        };
        let (place, stack) = (proposal.place, proposal.name.clone());
        let worked_out = self.worked_out(place, &arn).await;
        let mut change_set = ChangeSet { place, stack, arn, changes: Vec::new() };
        if let Ok(Some(changes)) = worked_out {
            change_set.changes = changes;
            return Ok(Some(change_set));
        }
        self.discard(&change_set).await?;
        worked_out.map(|_| None)
    }

    async fn apply(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        let ChangeSet { place, stack, arn, .. } = change_set;
        self.execute(*place, arn, stack, &format!("updating the stack `{stack}`")).await
    }

    async fn discard(&self, change_set: &ChangeSet) -> Result<(), Failure> {
        self.at(change_set.place)
            .delete_change_set()
            .change_set_name(&change_set.arn)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| translate("throwing away a change set", None, &error))
    }

    async fn protect(&self, place: Place, name: &str, on: bool) -> Result<(), Failure> {
        let asked = self.at(place).update_termination_protection().stack_name(name);
        match asked.enable_termination_protection(on).send().await {
            Ok(_) => Ok(()),
            // The status may be older than the stack's deletion; a deleted stack needs no
            // protection.
            Err(error) if !on && is_missing(&error) => Ok(()),
            Err(error) => {
                Err(translate(&format!("switching the protection of `{name}`"), None, &error))
            }
        }
    }

    async fn recover(&self, place: Place, seen: &StackSeen) -> Result<(), Failure> {
        let doing = format!("bringing `{}` back", seen.arn);
        let client = self.at(place);
        // Two calls with one purpose: each is rejected in the other's state.
        // Source: "Stack failure options" and "Continue rolling back an update", AWS
        // CloudFormation User Guide.
        let token = self.token();
        if seen.code == "UPDATE_FAILED" {
            let asked = client.rollback_stack().stack_name(&seen.arn);
            let answer = asked.client_request_token(&token).send().await;
            let begun = self.started(answer, place, &seen.arn, &token).await;
            return begun.map_err(|error| translate(&doing, None, &error));
        }
        let asked = client.continue_update_rollback().stack_name(&seen.arn);
        let answer = asked.client_request_token(&token).send().await;
        let begun = self.started(answer, place, &seen.arn, &token).await;
        begun.map_err(|error| translate(&doing, None, &error))
    }

    async fn drift(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        drift::detect(self.at(place), &self.budget, name).await
    }

    async fn resources(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        drift::resources(self.at(place), name).await
    }

    async fn delete(&self, place: Place, name: &str) -> Result<(), Failure> {
        self.at(place)
            .delete_stack()
            .stack_name(name)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| translate(&format!("removing the stack `{name}`"), None, &error))
    }

    async fn reasons(&self, place: Place, arn: &str) -> Result<Vec<Reason>, Failure> {
        self.reasons_of_stack(place, arn).await
    }

    async fn retire(&self, place: Place, name: &str, lock: &LockId) -> Result<(), Failure> {
        self.retire_change_sets(place, name, lock).await
    }

    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure> {
        let mut events = Vec::new();
        let mut next = None;
        loop {
            let asked = self.look(place).await.describe_stack_events().stack_name(name);
            match asked.set_next_token(next).send().await {
                Ok(page) => {
                    events.extend(page.stack_events().iter().map(event));
                    next = page.next_token().map(str::to_owned);
                }
                Err(error) if code(&error) == Some("ValidationError") => return Ok(Vec::new()),
                Err(error) => {
                    return Err(translate(
                        &format!("reading the events of `{name}`"),
                        None,
                        &error,
                    ));
                }
            }
            // Newest first: events before the start of the latest operation are history.
            if next.is_none() || events.iter().any(starts_an_operation) {
                return Ok(events);
            }
        }
    }
}

/// Whether AWS says that there is no such stack.
fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    code(error) == Some("ValidationError") && message(error).contains("does not exist")
}

fn role_is_new<E>(proposal: &Proposal, error: &SdkError<E>) -> bool
where
    E: ProvideErrorMetadata,
{
    let text = message(error);
    proposal.role.is_some()
        && code(error) == Some("ValidationError")
        && (text.contains("cannot be assumed") || text.contains("is invalid"))
}

#[cfg(test)]
mod tests;
