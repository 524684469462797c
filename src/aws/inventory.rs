//! What carries a galaxy's tag, and what the function and the gateway have logged.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::error::{code, translate};
use crate::failure::Failure;
use crate::model::{Place, TAG};
use crate::ports::{Inventory, LogLine, Logs};

/// The SDK's clients of both Regions.
pub(super) struct Tagged {
    home: aws_sdk_resourcegroupstagging::Client,
    edge: aws_sdk_resourcegroupstagging::Client,
}

impl Tagged {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        let client = aws_sdk_resourcegroupstagging::Client::new;
        Self { home: client(home), edge: client(edge) }
    }
}

#[async_trait]
impl Inventory for Tagged {
    async fn galaxies(&self, place: Place) -> Result<BTreeSet<String>, Failure> {
        let client = match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        };
        let filter = TagFilter::builder().key(TAG).build();
        let asked = client.get_resources().tag_filters(filter);
        let asked = asked.resource_type_filters("cloudformation:stack");
        let found = asked.into_paginator().items().send().try_collect().await;
        let found = found.map_err(|error| translate("listing the tagged stacks", None, &error))?;
        let tags = found.into_iter().flat_map(|one| one.tags.unwrap_or_default());
        Ok(tags.filter(|tag| tag.key == TAG).map(|tag| tag.value).collect())
    }

    async fn tagged(&self, place: Place, galaxy: &str) -> Result<Vec<String>, Failure> {
        let client = match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        };
        let filter = TagFilter::builder().key(TAG).values(galaxy).build();
        let asked = client.get_resources().tag_filters(filter);
        let found = asked.into_paginator().items().send().try_collect().await;
        let found = found
            .map_err(|error| translate("listing what carries the galaxy's tag", None, &error))?;
        Ok(found.into_iter().filter_map(|one| one.resource_arn).collect())
    }
}

/// The SDK's client.
pub(super) struct LogGroups(aws_sdk_cloudwatchlogs::Client);

impl LogGroups {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(aws_sdk_cloudwatchlogs::Client::new(config))
    }
}

#[async_trait]
impl Logs for LogGroups {
    async fn lines(
        &self,
        group: &str,
        since: u64,
        word: Option<&str>,
    ) -> Result<Vec<LogLine>, Failure> {
        let doing = format!("reading the log `{group}`");
        // A quoted term is matched literally. Source: "Filter pattern syntax", CloudWatch
        // Logs User Guide.
        let pattern = word.map(|word| format!("\"{}\"", word.replace(['"', '\\'], " ")));
        let mut pages = self
            .0
            .filter_log_events()
            .log_group_name(group)
            .start_time(i64::try_from(since).unwrap_or(i64::MAX))
            .set_filter_pattern(pattern)
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) if code(&error) == Some("ResourceNotFoundException") => break,
                Err(error) => return Err(translate(&doing, None, &error)),
            };
            lines.extend(page.events.unwrap_or_default().into_iter().map(line));
        }
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }
}

fn line(event: FilteredLogEvent) -> LogLine {
    let at = event.timestamp.and_then(|at| u64::try_from(at).ok()).unwrap_or_default();
    let text = event.message.unwrap_or_default().trim_end().to_owned();
    // AWS gives one always, says its model only as a rule: without it two lines are one when they
    // are the same.
    let id = event.event_id.unwrap_or_else(|| format!("{at} {text}"));
    LogLine { at, text, id }
}

#[cfg(test)]
mod tests;
