//! What `DescribeEvents` says of a failed operation. Early validations and hooks write their
//! reasons only there: a change set and a stack's own events just say that one of them failed.
//! Source: "Validate stack deployments", AWS CloudFormation User Guide.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::operation::describe_events::builders::DescribeEventsFluentBuilder;
use aws_sdk_cloudformation::types::{
    EventFilter, EventType, HookFailureMode, HookStatus, OperationEvent, Stack, ValidationStatus,
};

use super::CloudFormation;
use crate::aws::error::translate;
use crate::causes;
use crate::failure::{Failure, Kind};
use crate::model::Place;
use crate::ports::{Origin, Reason};

impl CloudFormation {
    /// Why the latest operation on a stack failed.
    pub(super) async fn reasons_of_stack(
        &self,
        place: Place,
        arn: &str,
    ) -> Result<Vec<Reason>, Failure> {
        let stacks = self.look(place).await.describe_stacks().stack_name(arn).send().await;
        let stacks =
            stacks.map_err(|error| translate("looking at a failed stack", None, &error))?;
        let latest = stacks.stacks().iter().flat_map(Stack::last_operations);
        let latest: BTreeSet<&str> = latest.filter_map(|entry| entry.operation_id()).collect();
        let asked = self.look(place).await.describe_events().stack_name(arn);
        let events = self.failed_events(asked).await?;
        // What failed before the latest operation is history.
        let newest = events.first().and_then(|event| event.operation_id());
        let newest = newest.filter(|id| latest.is_empty() || latest.contains(id));
        let Some(newest) = newest else { return Ok(Vec::new()) };
        let of_it = events.iter().filter(|event| event.operation_id() == Some(newest));
        Ok(told(&of_it.cloned().collect::<Vec<_>>()))
    }

    /// The failure of a change set that could not be worked out, with its reasons.
    pub(super) async fn change_set_failed(
        &self,
        place: Place,
        arn: &str,
        (stack, said): (&str, &str),
    ) -> Failure {
        let message = format!("CloudFormation could not prepare the change of `{stack}`");
        let failure = Failure::new(Kind::Settled, message)
            .help("run the same command again; the CloudFormation console shows the change set");
        // The ARN alone: together with the stack's name the operation refuses both.
        let asked = self.look(place).await.describe_events().change_set_name(arn);
        let whole = Reason {
            origin: Origin::Stack,
            resource: String::new(),
            kind: String::new(),
            text: said.to_owned(),
        };
        match self.failed_events(asked).await {
            Ok(events) => {
                let mut reasons = told(&events);
                if reasons.is_empty() {
                    reasons.push(whole);
                }
                causes::explain(failure, &reasons)
            }
            Err(unread) => causes::unread(causes::explain(failure, &[whole]), &unread),
        }
    }

    /// The failed events, newest first.
    async fn failed_events(
        &self,
        asked: DescribeEventsFluentBuilder,
    ) -> Result<Vec<OperationEvent>, Failure> {
        let filter = EventFilter::builder().failed_events(true).build();
        let mut events = Vec::new();
        let mut next = None;
        loop {
            let page = asked.clone().filters(filter.clone()).set_next_token(next).send().await;
            let page =
                page.map_err(|error| translate("reading why CloudFormation failed", None, &error))?;
            events.extend(page.operation_events().iter().cloned());
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(events);
            }
            self.budget.turn().await;
        }
    }
}

/// The reasons in the order in which they came up, each once.
fn told(newest_first: &[OperationEvent]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in newest_first.iter().rev().filter_map(reason) {
        let echo = reason.text.ends_with("cancelled");
        if !echo && !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

fn reason(event: &OperationEvent) -> Option<Reason> {
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let (origin, text) = match event.event_type() {
        Some(EventType::ValidationError) => {
            let warns = event.validation_failure_mode() == Some(&HookFailureMode::Warn)
                || event.validation_status() == Some(&ValidationStatus::Skipped);
            if warns {
                return None;
            }
            let text = owned(event.validation_status_reason());
            let path = event.validation_path().filter(|path| !path.is_empty());
            (Origin::Validation, path.map_or(text.clone(), |path| format!("{text} (at {path})")))
        }
        Some(EventType::HookInvocationError) => {
            if event.hook_failure_mode() == Some(&HookFailureMode::Warn)
                || event.hook_status() == Some(&HookStatus::HookCompleteSucceeded)
            {
                return None;
            }
            let text = owned(event.hook_status_reason());
            (Origin::Hook, format!("{}: {text}", owned(event.hook_type())))
        }
        _ => (Origin::Resource, owned(event.resource_status_reason())),
    };
    let is_stack = event.resource_type() == Some("AWS::CloudFormation::Stack");
    (!text.is_empty()).then(|| Reason {
        origin: if is_stack && origin == Origin::Resource { Origin::Stack } else { origin },
        resource: if is_stack { String::new() } else { owned(event.logical_resource_id()) },
        kind: if is_stack { String::new() } else { owned(event.resource_type()) },
        text,
    })
}
