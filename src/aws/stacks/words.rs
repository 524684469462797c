//! The SDK's words for stacks → ours, and back.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Change as SdkChange, Parameter, Replacement, Stack, Tag};

use crate::model::{StackSeen, StackStatus};
use crate::ports::{Change, ChangeAction, Proposal, StackEvent};

pub(super) fn parameters(proposal: &Proposal) -> Vec<Parameter> {
    let one = |key: &String, value: &str| {
        Parameter::builder().parameter_key(key).parameter_value(value).build()
    };
    let shown = proposal.parameters.iter().map(|(key, value)| one(key, value));
    let secret = proposal.secrets.iter().map(|(key, value)| one(key, value.expose()));
    shown.chain(secret).collect()
}

pub(super) fn tags(values: &BTreeMap<String, String>) -> Vec<Tag> {
    values.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

pub(super) fn seen(stack: &Stack) -> StackSeen {
    let code = stack.stack_status().map_or("", |status| status.as_str());
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    StackSeen {
        arn: owned(stack.stack_id()),
        code: code.to_owned(),
        status: StackStatus::parse(code),
        reason: stack.stack_status_reason().filter(|r| !r.is_empty()).map(str::to_owned),
        changed: stack
            .last_updated_time()
            .or(stack.creation_time())
            .and_then(|time| u64::try_from(time.secs()).ok()),
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
        tags: stack.tags().iter().map(|tag| (owned(tag.key()), owned(tag.value()))).collect(),
        protected: stack.enable_termination_protection().unwrap_or_default(),
        role: stack.role_arn().map(str::to_owned),
    }
}

pub(super) fn event(event: &aws_sdk_cloudformation::types::StackEvent) -> StackEvent {
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    StackEvent {
        id: owned(event.event_id()),
        resource: owned(event.logical_resource_id()),
        kind: owned(event.resource_type()),
        status: event.resource_status().map_or("", |status| status.as_str()).to_owned(),
        reason: event.resource_status_reason().filter(|r| !r.is_empty()).map(str::to_owned),
        token: event.client_request_token().map(str::to_owned),
    }
}

pub(super) fn change(change: &SdkChange) -> Option<Change> {
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
        why: change.details().iter().filter_map(why).collect(),
    })
}

/// What of a resource differs, and what it differs with, where it is another resource.
fn why(detail: &aws_sdk_cloudformation::types::ResourceChangeDetail) -> Option<String> {
    let target = detail.target()?;
    let what = target
        .name()
        .or(target.attribute().map(aws_sdk_cloudformation::types::ResourceAttribute::as_str))?;
    Some(match detail.causing_entity() {
        Some(entity) => format!("{what} follows {entity}"),
        None => what.to_owned(),
    })
}

/// Whether an event is the first of an operation on a stack.
pub(super) fn starts_an_operation(event: &StackEvent) -> bool {
    let starts =
        ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"];
    event.kind == "AWS::CloudFormation::Stack" && starts.contains(&event.status.as_str())
}
