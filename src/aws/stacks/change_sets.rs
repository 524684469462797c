//! Change sets: worked out, read, run; and the proof that a thing was started.

use std::time::Duration;

use aws_sdk_cloudformation::error::SdkError;
use aws_sdk_cloudformation::operation::create_change_set::builders::CreateChangeSetFluentBuilder;
use aws_sdk_cloudformation::operation::describe_stack_events::DescribeStackEventsOutput;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::words::{change, parameters, tags};
use super::{CloudFormation, token};
use crate::aws::error::{code, translate};
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::{Change, Proposal};

/// Time between two looks at a change set that is being worked out.
const CHANGE_SET_PAUSE: Duration = Duration::from_secs(1);

impl CloudFormation {
    /// Creates a stack around what an earlier installation left behind. Only a change set can do
    /// that; until it is run, its stack is an empty shell in `REVIEW_IN_PROGRESS`.
    pub(super) async fn adopt(&self, proposal: &Proposal) -> Result<String, Failure> {
        let doing = format!("creating the stack `{}` around what is there", proposal.name);
        let wanted = |set: CreateChangeSetFluentBuilder| {
            set.change_set_type(ChangeSetType::Create).import_existing_resources(true)
        };
        let (arn, stack) = self.work_out(proposal, wanted, &doing).await?;
        self.worked_out(proposal.place, &arn).await?;
        self.execute(proposal.place, &arn, &stack, &doing).await?;
        self.at(proposal.place)
            .update_termination_protection()
            .stack_name(&proposal.name)
            .enable_termination_protection(true)
            .send()
            .await
            .map_err(|error| translate(&doing, None, &error))?;
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
        let name = token();
        let asked = self
            .at(proposal.place)
            .create_change_set()
            .stack_name(&proposal.name)
            .change_set_name(&name)
            .template_body(&proposal.body)
            .set_parameters(Some(parameters(&proposal.parameters)))
            .set_tags(Some(tags(&proposal.tags)))
            .set_role_arn(proposal.role.clone())
            .capabilities(Capability::CapabilityNamedIam);
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        match wanted(asked).send().await {
            Ok(created) => Ok((owned(created.id()), owned(created.stack_id()))),
            // Nobody else uses that name: it is ours, and the answer to it was lost.
            Err(error) if code(&error) == Some("AlreadyExistsException") => {
                let asked = self.look(proposal.place).await.describe_change_set();
                let found = asked.stack_name(&proposal.name).change_set_name(&name).send().await;
                let found = found.map_err(|error| translate(doing, None, &error))?;
                Ok((owned(found.change_set_id()), owned(found.stack_id())))
            }
            Err(error) => Err(translate(doing, None, &error)),
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
        let token = token();
        let answer = self
            .at(place)
            .execute_change_set()
            .change_set_name(arn)
            // Said explicitly: the documentation's default and the service's differ.
            .disable_rollback(false)
            .client_request_token(&token)
            .send()
            .await;
        self.started(answer, place, stack, &token)
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
                    let message = format!("the update of `{name}` can't be worked out");
                    return Err(Failure::new(Kind::Settled, message).cause(reason));
                }
                _ => tokio::time::sleep(CHANGE_SET_PAUSE).await,
            }
        }
    }
}

/// `CloudFormation` has no code for "nothing to change", only these two sentences.
pub(super) fn changes_nothing(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}
