//! Change sets: create, read, execute; and the proof that an operation was started.

use std::time::Duration;

use aws_sdk_cloudformation::error::SdkError;
use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::operation::describe_stack_events::DescribeStackEventsOutput;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, ResourceToImport};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::words::{change, parameters, tags};
use super::{CloudFormation, ROLE_PATIENCE, is_missing, role_is_new};
use crate::aws::error::{code, translate};
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Change, ChangeSet, LockId, Proposal, Retained, Stacks as _};

/// Time between two looks at a change set that is being worked out.
const CHANGE_SET_PAUSE: Duration = Duration::from_secs(1);

/// A run of a change set. The stack's events carry the token.
struct Run<'a> {
    arn: &'a str,
    stack: &'a str,
    token: &'a str,
}

impl CloudFormation {
    /// Creates a stack around what an earlier installation left behind. Only a change set can do
    /// that; until it is run, its stack is an empty shell in `REVIEW_IN_PROGRESS`.
    pub(super) async fn adopt(&self, proposal: &Proposal) -> Result<String, Failure> {
        let doing = format!("creating the stack `{}` around what is there", proposal.name);
        let wanted = |set: CreateChangeSetFluentBuilder| {
            set.change_set_type(ChangeSetType::Create).import_existing_resources(true)
        };
        self.create_from(proposal, wanted, &doing).await
    }

    /// Creates a stack around resources by their ids. They stay as they are until an update.
    pub(super) async fn take_over(
        &self,
        proposal: &Proposal,
        things: &[Retained],
    ) -> Result<String, Failure> {
        let doing = format!("creating the stack `{}` around what outlived it", proposal.name);
        let one = |thing: &Retained| {
            ResourceToImport::builder()
                .resource_type(&thing.kind)
                .logical_resource_id(&thing.resource)
                .resource_identifier(&thing.property, &thing.id)
                .build()
        };
        let things: Vec<ResourceToImport> = things.iter().map(one).collect();
        let wanted = |set: CreateChangeSetFluentBuilder| {
            set.change_set_type(ChangeSetType::Import).set_resources_to_import(Some(things))
        };
        self.create_from(proposal, wanted, &doing).await
    }

    /// Creates a stack by a change set, and protects it.
    async fn create_from(
        &self,
        proposal: &Proposal,
        wanted: impl FnOnce(CreateChangeSetFluentBuilder) -> CreateChangeSetFluentBuilder,
        doing: &str,
    ) -> Result<String, Failure> {
        let (arn, stack) = self.work_out(proposal, wanted, doing).await?;
        self.worked_out(proposal.place, &arn).await?;
        let token = proposal.token.clone().unwrap_or_else(|| self.token());
        self.execute_as(proposal.place, &Run { arn: &arn, stack: &stack, token: &token }, doing)
            .await?;
        self.at(proposal.place)
            .update_termination_protection()
            .stack_name(&proposal.name)
            .enable_termination_protection(true)
            .send()
            .await
            .map_err(|error| translate(doing, None, &error))?;
        Ok(stack)
    }

    /// Has a change set worked out; its ARN and its stack's.
    pub(super) async fn work_out(
        &self,
        proposal: &Proposal,
        wanted: impl FnOnce(CreateChangeSetFluentBuilder) -> CreateChangeSetFluentBuilder,
        doing: &str,
    ) -> Result<(String, String), Failure> {
        // A name of its own for every attempt, so that an interrupted one is never taken up.
        let name = self.token();
        let asked = self
            .at(proposal.place)
            .create_change_set()
            .stack_name(&proposal.name)
            .change_set_name(&name)
            .template_body(&proposal.body)
            .set_parameters(Some(parameters(proposal)))
            .set_tags(Some(tags(&proposal.tags)))
            .set_role_arn(proposal.role.clone())
            .capabilities(Capability::CapabilityNamedIam);
        let asked = wanted(asked);
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let mut answer = asked.clone().send().await;
        for _ in 0..ROLE_PATIENCE.0 {
            match &answer {
                Err(error) if role_is_new(proposal, error) => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "AWS's pace: an account in memory has nothing to wait for"
                    )]
                    tokio::time::sleep(ROLE_PATIENCE.1).await;
                    answer = asked.clone().send().await;
                }
                _ => break,
            }
        }
        match answer {
            Ok(created) => Ok((owned(created.id()), owned(created.stack_id()))),
            // Only we use that name: the change set is ours, and the answer was lost.
            Err(error) if code(&error) == Some("AlreadyExistsException") => {
                let asked = self.look(proposal.place).await.describe_change_set();
                let found = asked.stack_name(&proposal.name).change_set_name(&name).send().await;
                let found = found.map_err(|error| translate(doing, None, &error))?;
                Ok((owned(found.change_set_id()), owned(found.stack_id())))
            }
            Err(error) => Err(translate(doing, None, &error)),
        }
    }

    /// Deletes the change sets that were made under earlier locks.
    pub(super) async fn retire_change_sets(
        &self,
        place: Place,
        name: &str,
        lock: &LockId,
    ) -> Result<(), Failure> {
        let doing = format!("listing the change sets of `{name}`");
        let mut next = None;
        loop {
            let asked = self.look(place).await.list_change_sets().stack_name(name);
            let page = match asked.set_next_token(next).send().await {
                Ok(page) => page,
                Err(error) if is_missing(&error) => return Ok(()),
                Err(error) => return Err(translate(&doing, None, &error)),
            };
            for set in page.summaries() {
                let earlier = set.change_set_name().is_some_and(|name| lock.is_after(name));
                if let (true, Some(arn)) = (earlier, set.change_set_id()) {
                    let (stack, arn) = (name.to_owned(), arn.to_owned());
                    self.discard(&ChangeSet { place, stack, arn, changes: Vec::new() }).await?;
                }
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// Runs a change set.
    pub(super) async fn execute(
        &self,
        place: Place,
        arn: &str,
        stack: &str,
        doing: &str,
    ) -> Result<(), Failure> {
        self.execute_as(place, &Run { arn, stack, token: &self.token() }, doing).await
    }

    async fn execute_as(&self, place: Place, run: &Run<'_>, doing: &str) -> Result<(), Failure> {
        let answer = self
            .at(place)
            .execute_change_set()
            .change_set_name(run.arn)
            // Said explicitly: the documentation's default and the service's differ.
            .disable_rollback(false)
            .client_request_token(run.token)
            .send()
            .await;
        self.started(answer, place, run.stack, run.token)
            .await
            .map_err(|error| translate(doing, None, &error))
    }

    /// Whether something was started although AWS says that it can't be: the answer to the first
    /// attempt was lost, and the SDK has asked again. Events carry the token of what began them.
    pub(super) async fn started<T, E>(
        &self,
        answer: Result<T, SdkError<E>>,
        place: Place,
        stack: &str,
        token: &str,
    ) -> Result<(), SdkError<E>>
    where
        E: ProvideErrorMetadata,
    {
        let Err(error) = answer else { return Ok(()) };
        let again = [
            "InvalidChangeSetStatus",
            "InvalidChangeSetStatusException",
            "ChangeSetNotFound",
            "ChangeSetNotFoundException",
            "ValidationError",
        ];
        if !code(&error).is_some_and(|code| again.contains(&code)) {
            return Err(error);
        }
        let events = self.look(place).await.describe_stack_events().stack_name(stack).send().await;
        let ours = |page: DescribeStackEventsOutput| {
            page.stack_events().iter().any(|event| event.client_request_token() == Some(token))
        };
        if events.is_ok_and(ours) { Ok(()) } else { Err(error) }
    }

    /// Waits until a change set is worked out; nothing if it would change nothing.
    pub(super) async fn worked_out(
        &self,
        place: Place,
        arn: &str,
    ) -> Result<Option<Vec<Change>>, Failure> {
        let doing = "reading a change set";
        loop {
            let mut changes = Vec::new();
            let mut next = None;
            let last = loop {
                let page = self
                    .look(place)
                    .await
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
                    return Err(self.change_set_failed(place, arn, (name, reason)).await);
                }
                #[expect(
                    clippy::disallowed_methods,
                    reason = "AWS's pace: an account in memory has nothing to wait for"
                )]
                _ => tokio::time::sleep(CHANGE_SET_PAUSE).await,
            }
        }
    }
}

/// `CloudFormation` has no code for "nothing to change", only these two sentences.
pub(super) fn changes_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}
