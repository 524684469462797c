//! Stacks in `CloudFormation`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::SdkError;
use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::types::{
    Capability, Change as SdkChange, ChangeSetStatus, ChangeSetType, DeploymentConfig,
    DeploymentConfigMode, DeploymentMode, Parameter, Replacement, Stack, Tag,
};

use super::error::{code, message, translate};
use crate::failure::{Failure, Kind};
use crate::model::{Place, StackSeen, StackStatus};
use crate::ports::{
    Change, ChangeAction, ChangeSet, Mode, Proposal, ResourceDrift, StackEvent, Stacks,
};

mod drift;

/// A new role takes some seconds until every part of AWS knows it.
const ROLE_PATIENCE: (usize, Duration) = (15, Duration::from_secs(4));

/// Time between two looks at a change set that is being worked out.
const CHANGE_SET_PAUSE: Duration = Duration::from_secs(1);

/// The SDK's clients of both Regions.
pub(super) struct CloudFormation {
    home: Client,
    edge: Client,
}

impl CloudFormation {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        Self { home: Client::new(home), edge: Client::new(edge) }
    }

    fn at(&self, place: Place) -> &Client {
        match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        }
    }

    async fn create_once(
        &self,
        proposal: &Proposal,
    ) -> Result<
        aws_sdk_cloudformation::operation::create_stack::CreateStackOutput,
        SdkError<aws_sdk_cloudformation::operation::create_stack::CreateStackError>,
    > {
        // Express: done when configured, not when the last edge location has it; we ask from
        // outside instead. It keeps its rollback only when told so in so many words.
        // Source: "Express mode", AWS CloudFormation User Guide.
        let express = DeploymentConfig::builder()
            .mode(DeploymentConfigMode::Express)
            .disable_rollback(false)
            .build();
        self.at(proposal.place)
            .create_stack()
            .stack_name(&proposal.name)
            .template_body(&proposal.body)
            .set_parameters(Some(parameters(&proposal.parameters)))
            .set_tags(Some(tags(&proposal.tags)))
            .set_role_arn(proposal.role.clone())
            .capabilities(Capability::CapabilityNamedIam)
            .enable_termination_protection(true)
            .deployment_config(express)
            .send()
            .await
    }

    /// Creates a stack around what an earlier installation left behind. Only a change set can do
    /// that; until it is run, its stack is an empty shell in `REVIEW_IN_PROGRESS`.
    async fn adopt(&self, proposal: &Proposal) -> Result<String, Failure> {
        let doing = format!("creating the stack `{}` around what is there", proposal.name);
        let created = self
            .change_set(proposal)
            .change_set_type(ChangeSetType::Create)
            .import_existing_resources(true)
            .send()
            .await
            .map_err(|error| translate(&doing, None, &error))?;
        let arn = created.id().unwrap_or_default();
        self.worked_out(proposal.place, arn).await?;
        self.at(proposal.place)
            .execute_change_set()
            .change_set_name(arn)
            .disable_rollback(false)
            .send()
            .await
            .map_err(|error| translate(&doing, None, &error))?;
        self.at(proposal.place)
            .update_termination_protection()
            .stack_name(&proposal.name)
            .enable_termination_protection(true)
            .send()
            .await
            .map_err(|error| translate(&doing, None, &error))?;
        Ok(created.stack_id().unwrap_or_default().to_owned())
    }

    fn change_set(&self, proposal: &Proposal) -> CreateChangeSetFluentBuilder {
        // A name of its own for every attempt, so that an interrupted one is never taken up.
        let stamp = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
        self.at(proposal.place)
            .create_change_set()
            .stack_name(&proposal.name)
            .change_set_name(format!("spaceduck-{stamp}"))
            .template_body(&proposal.body)
            .set_parameters(Some(parameters(&proposal.parameters)))
            .set_tags(Some(tags(&proposal.tags)))
            .set_role_arn(proposal.role.clone())
            .capabilities(Capability::CapabilityNamedIam)
    }

    /// Waits until a change set is worked out; nothing if it would change nothing.
    async fn worked_out(&self, place: Place, arn: &str) -> Result<Option<Vec<Change>>, Failure> {
        let doing = "reading a change set";
        let client = self.at(place);
        loop {
            let mut changes = Vec::new();
            let mut next = None;
            let last = loop {
                let page = client
                    .describe_change_set()
                    .change_set_name(arn)
                    .set_next_token(next)
                    .send()
                    .await
                    .map_err(|error| translate(doing, None, &error))?;
                changes.extend(page.changes().iter().filter_map(change));
                next = page.next_token().map(str::to_owned);
                if next.is_none() {
                    break page;
                }
            };
            match last.status() {
                Some(ChangeSetStatus::CreateComplete) => return Ok(Some(changes)),
                Some(ChangeSetStatus::Failed) => {
                    let reason = last.status_reason().unwrap_or_default();
                    if changes_nothing(reason) {
                        return Ok(None);
                    }
                    let name = last.stack_name().unwrap_or_default();
                    let message = format!("the update of `{name}` can't be worked out");
                    return Err(Failure::new(Kind::Settled, message).cause(reason));
                }
                _ => tokio::time::sleep(CHANGE_SET_PAUSE).await,
            }
        }
    }
}

/// `CloudFormation` has no code for "nothing to change", only these two sentences.
fn changes_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

#[async_trait]
impl Stacks for CloudFormation {
    async fn find(&self, place: Place, name: &str) -> Result<Option<StackSeen>, Failure> {
        let answer = self.at(place).describe_stacks().stack_name(name).send().await;
        match answer {
            Ok(page) => Ok(page.stacks().first().map(seen)),
            // A missing stack is a ValidationError like many others; only its text tells.
            Err(error)
                if code(&error) == Some("ValidationError")
                    && message(&error).contains("does not exist") =>
            {
                Ok(None)
            }
            Err(error) => Err(translate(&format!("looking at the stack `{name}`"), None, &error)),
        }
    }

    async fn template(&self, place: Place, name: &str) -> Result<String, Failure> {
        let answer = self.at(place).get_template().stack_name(name).send().await;
        let answer = answer.map_err(|error| {
            translate(&format!("reading the template of `{name}`"), None, &error)
        })?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
    }

    async fn create(&self, proposal: &Proposal) -> Result<String, Failure> {
        if proposal.mode == Mode::Adopt {
            return self.adopt(proposal).await;
        }
        let mut tries = 0;
        loop {
            match self.create_once(proposal).await {
                Ok(created) => return Ok(created.stack_id().unwrap_or_default().to_owned()),
                Err(error) if tries < ROLE_PATIENCE.0 && role_is_new(proposal, &error) => {
                    tries += 1;
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
        let created = self
            .change_set(proposal)
            .change_set_type(ChangeSetType::Update)
            .set_deployment_mode(reverts.then_some(DeploymentMode::RevertDrift))
            .send()
            .await;
        let arn = match created {
            Ok(created) => created.id().unwrap_or_default().to_owned(),
            Err(error)
                if code(&error) == Some("ValidationError") && changes_nothing(message(&error)) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(translate(&doing, None, &error)),
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
        self.at(change_set.place)
            .execute_change_set()
            .change_set_name(&change_set.arn)
            // Said explicitly: the documentation's default and the service's differ.
            .disable_rollback(false)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| translate(&format!("updating the stack `{}`", change_set.stack), None, &e))
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
        self.at(place)
            .update_termination_protection()
            .stack_name(name)
            .enable_termination_protection(on)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                translate(&format!("switching the protection of `{name}`"), None, &error)
            })
    }

    async fn recover(&self, place: Place, seen: &StackSeen) -> Result<(), Failure> {
        let doing = format!("bringing `{}` back", seen.arn);
        let client = self.at(place);
        // Two calls for one thing: each is refused in the other's state.
        // Source: "Stack failure options" and "Continue rolling back an update", AWS
        // CloudFormation User Guide.
        if seen.code == "UPDATE_FAILED" {
            let answer = client.rollback_stack().stack_name(&seen.arn).send().await;
            return answer.map(|_| ()).map_err(|error| translate(&doing, None, &error));
        }
        let answer = client.continue_update_rollback().stack_name(&seen.arn).send().await;
        answer.map(|_| ()).map_err(|error| translate(&doing, None, &error))
    }

    async fn drift(&self, place: Place, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
        drift::detect(self.at(place), name).await
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

    async fn events(&self, place: Place, name: &str) -> Result<Vec<StackEvent>, Failure> {
        let answer = self.at(place).describe_stack_events().stack_name(name).send().await;
        match answer {
            Ok(page) => Ok(page.stack_events().iter().map(event).collect()),
            Err(error) if code(&error) == Some("ValidationError") => Ok(Vec::new()),
            Err(error) => Err(translate(&format!("reading the events of `{name}`"), None, &error)),
        }
    }
}

fn role_is_new<E>(proposal: &Proposal, error: &SdkError<E>) -> bool
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    let text = message(error);
    proposal.role.is_some()
        && code(error) == Some("ValidationError")
        && (text.contains("cannot be assumed") || text.contains("is invalid"))
}

fn parameters(values: &BTreeMap<String, String>) -> Vec<Parameter> {
    let one = |(key, value): (&String, &String)| {
        Parameter::builder().parameter_key(key).parameter_value(value).build()
    };
    values.iter().map(one).collect()
}

fn tags(values: &BTreeMap<String, String>) -> Vec<Tag> {
    values.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn seen(stack: &Stack) -> StackSeen {
    let code = stack.stack_status().map_or("", |status| status.as_str());
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    StackSeen {
        arn: owned(stack.stack_id()),
        code: code.to_owned(),
        status: StackStatus::parse(code),
        reason: stack.stack_status_reason().map(str::to_owned),
        parameters: stack
            .parameters()
            .iter()
            .map(|p| (owned(p.parameter_key()), owned(p.parameter_value())))
            .collect(),
        outputs: stack
            .outputs()
            .iter()
            .map(|output| (owned(output.output_key()), owned(output.output_value())))
            .collect(),
    }
}

fn event(event: &aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    StackEvent {
        id: owned(event.event_id()),
        resource: owned(event.logical_resource_id()),
        kind: owned(event.resource_type()),
        status: event.resource_status().map_or("", |status| status.as_str()).to_owned(),
        reason: event.resource_status_reason().filter(|r| !r.is_empty()).map(str::to_owned),
    }
}

fn change(change: &SdkChange) -> Option<Change> {
    use aws_sdk_cloudformation::types::ChangeAction as Sdk;
    let change = change.resource_change()?;
    let action = match (change.action()?, change.replacement()) {
        (Sdk::Add, _) => ChangeAction::Add,
        (Sdk::Modify, Some(Replacement::True | Replacement::Conditional)) => ChangeAction::Replace,
        (Sdk::Modify, _) => ChangeAction::Modify,
        (Sdk::Remove, _) => ChangeAction::Remove,
        (other, _) => ChangeAction::Other(other.as_str().to_owned()),
    };
    Some(Change {
        resource: change.logical_resource_id().unwrap_or_default().to_owned(),
        kind: change.resource_type().unwrap_or_default().to_owned(),
        action,
    })
}
