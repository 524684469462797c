//! What carries a galaxy's tag, and what the function and the gateway have logged.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_wire::{CLOUDWATCHLOGS, Call, Client, RESOURCEGROUPSTAGGING, Refused};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{code, translate};
use crate::failure::Failure;
use crate::model::{Place, TAG};
use crate::ports::{Inventory, LogLine, Logs};

/// The clients of both Regions.
pub(super) struct Tagged {
    home: Client,
    edge: Client,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Resources {
    pagination_token: String,
    resource_tag_mapping_list: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    #[serde(rename = "ResourceARN")]
    arn: Option<String>,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    key: String,
    value: String,
}

impl Tagged {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        let client = |config| Client::new(&RESOURCEGROUPSTAGGING, config);
        Self { home: client(home), edge: client(edge) }
    }

    /// Everything that a question finds, to its last page.
    async fn all(&self, place: Place, mut asked: Value) -> Result<Vec<Resource>, Refused> {
        let client = match place {
            Place::Home => &self.home,
            Place::Edge => &self.edge,
        };
        let mut found = Vec::new();
        loop {
            let page: Resources = client.ask(Call::json("GetResources", asked.clone())).await?;
            found.extend(page.resource_tag_mapping_list);
            if page.pagination_token.is_empty() {
                return Ok(found);
            }
            asked["PaginationToken"] = page.pagination_token.into();
        }
    }
}

#[async_trait]
impl Inventory for Tagged {
    async fn galaxies(&self, place: Place) -> Result<BTreeSet<String>, Failure> {
        let asked = json!({
            "TagFilters": [{"Key": TAG}],
            "ResourceTypeFilters": ["cloudformation:stack"],
        });
        let found = self.all(place, asked).await;
        let found = found.map_err(|error| translate("listing the tagged stacks", None, &error))?;
        let tags = found.into_iter().flat_map(|one| one.tags);
        Ok(tags.filter(|tag| tag.key == TAG).map(|tag| tag.value).collect())
    }

    async fn tagged(&self, place: Place, galaxy: &str) -> Result<Vec<String>, Failure> {
        let asked = json!({"TagFilters": [{"Key": TAG, "Values": [galaxy]}]});
        let found = self
            .all(place, asked)
            .await
            .map_err(|error| translate("listing what carries the galaxy's tag", None, &error))?;
        Ok(found.into_iter().filter_map(|one| one.arn).collect())
    }
}

/// The client of the home Region.
pub(super) struct LogGroups(Client);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Events {
    events: Vec<Logged>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Logged {
    timestamp: Option<i64>,
    message: Option<String>,
    event_id: Option<String>,
}

impl LogGroups {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(&CLOUDWATCHLOGS, config))
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
        let mut asked = json!({
            "logGroupName": group,
            "startTime": i64::try_from(since).unwrap_or(i64::MAX),
        });
        if let Some(pattern) = pattern {
            asked["filterPattern"] = pattern.into();
        }
        let mut lines = Vec::new();
        loop {
            let page: Events = match self.0.ask(Call::json("FilterLogEvents", asked.clone())).await
            {
                Ok(page) => page,
                Err(error) if code(&error) == Some("ResourceNotFoundException") => break,
                Err(error) => return Err(translate(&doing, None, &error)),
            };
            lines.extend(page.events.into_iter().map(line));
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => asked["nextToken"] = token.into(),
                None => break,
            }
        }
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }
}

fn line(event: Logged) -> LogLine {
    let at = event.timestamp.and_then(|at| u64::try_from(at).ok()).unwrap_or_default();
    let text = event.message.unwrap_or_default().trim_end().to_owned();
    // AWS gives one always, says its model only as a rule: without it two lines are one when they
    // are the same.
    let id = event.event_id.unwrap_or_else(|| format!("{at} {text}"));
    LogLine { at, text, id }
}

#[cfg(test)]
mod tests;
