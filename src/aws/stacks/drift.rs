//! `CloudFormation`'s own comparison of a stack with its template.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{
    StackDriftDetectionStatus, StackResourceDrift, StackResourceDriftStatus,
};

use crate::aws::budget::Budget;
use crate::aws::error::translate;
use crate::failure::{Failure, Kind};
use crate::ports::{DriftState, ResourceDrift};

/// Time between two looks at a detection that is going on.
const PAUSE: Duration = Duration::from_secs(1);

/// Compares a stack; resources about which `CloudFormation` says nothing were not checked.
/// Source: "Detect unmanaged configuration changes to stacks and resources", User Guide.
pub(super) async fn detect(
    client: &Client,
    budget: &Budget,
    name: &str,
) -> Result<Vec<ResourceDrift>, Failure> {
    let doing = format!("comparing the stack `{name}` with its template");
    let started = client.detect_stack_drift().stack_name(name).send().await;
    let started = started.map_err(|error| translate(&doing, None, &error))?;
    let id = started.stack_drift_detection_id().unwrap_or_default();
    let failed = loop {
        budget.turn().await;
        let now = client.describe_stack_drift_detection_status().stack_drift_detection_id(id);
        let now = now.send().await.map_err(|error| translate(&doing, None, &error))?;
        match now.detection_status() {
            Some(StackDriftDetectionStatus::DetectionInProgress) => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "AWS's pace: an account in memory has nothing to wait for"
                )]
                tokio::time::sleep(PAUSE).await;
            }
            // The results of what could be compared are there nevertheless.
            // Source: "DescribeStackDriftDetectionStatus", AWS CloudFormation API Reference.
            Some(StackDriftDetectionStatus::DetectionFailed) => {
                let reason = now.detection_status_reason().unwrap_or("AWS gives no reason");
                break Some(reason.to_owned());
            }
            Some(_) => break None,
            None => {
                return Err(Failure::new(Kind::Settled, format!("{doing}: AWS does not say how"))
                    .help("run the same command again"));
            }
        }
    };
    let mut drifts = listed(client, name, &doing).await?;
    if let Some(reason) = failed {
        for drift in drifts.values_mut() {
            drift.state = DriftState::Failed(reason.clone());
        }
    }
    let mut next = None;
    loop {
        budget.turn().await;
        let page = client.describe_stack_resource_drifts().stack_name(name).set_next_token(next);
        let page = page.send().await.map_err(|error| translate(&doing, None, &error))?;
        for drift in page.stack_resource_drifts() {
            let id = drift.logical_resource_id().unwrap_or_default();
            let state = state(drift);
            if let Some(known) = drifts.get_mut(id).filter(|_| state != DriftState::NotChecked) {
                known.state = state;
            }
        }
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(drifts.into_values().collect());
        }
    }
}

/// Lists the resources of a stack in any status.
pub(super) async fn resources(client: &Client, name: &str) -> Result<Vec<ResourceDrift>, Failure> {
    let doing = format!("listing the resources of the stack `{name}`");
    Ok(listed(client, name, &doing).await?.into_values().collect())
}

/// All resources of a stack, none of them checked yet.
async fn listed(
    client: &Client,
    name: &str,
    doing: &str,
) -> Result<BTreeMap<String, ResourceDrift>, Failure> {
    let mut found = BTreeMap::new();
    let mut pages = client.list_stack_resources().stack_name(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| translate(doing, None, &error))?;
        for resource in page.stack_resource_summaries() {
            let id = resource.logical_resource_id().unwrap_or_default().to_owned();
            let kind = resource.resource_type().unwrap_or_default().to_owned();
            let physical = resource.physical_resource_id().unwrap_or_default().to_owned();
            let state = DriftState::NotChecked;
            found.insert(id.clone(), ResourceDrift { resource: id, kind, physical, state });
        }
    }
    Ok(found)
}

fn state(drift: &StackResourceDrift) -> DriftState {
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match drift.stack_resource_drift_status() {
        Some(StackResourceDriftStatus::InSync) => DriftState::InSync,
        Some(StackResourceDriftStatus::Deleted) => DriftState::Deleted,
        Some(StackResourceDriftStatus::Modified) => {
            let differences = drift.property_differences().iter().map(|one| {
                (owned(one.property_path()), owned(one.expected_value()), owned(one.actual_value()))
            });
            DriftState::Modified(differences.collect())
        }
        Some(StackResourceDriftStatus::NotChecked | StackResourceDriftStatus::Unsupported)
        | None => DriftState::NotChecked,
        // UNKNOWN: CloudFormation could not run the detection for this resource.
        Some(_) => DriftState::Failed(
            drift.drift_status_reason().unwrap_or("AWS gives no reason").to_owned(),
        ),
    }
}
