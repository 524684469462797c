//! Marks of ownership: tags of buckets, tables and parameters, and the resources of a stack.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{KeySchemaElement, TableDescription};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_wire::{Call, Client, KMS};
use serde::Deserialize;
use serde_json::json;

use super::error::{code, translate};
use super::parameters::{New, Parameters};
use crate::failure::{Failure, Kind};
use crate::model::{Place, Secret, Tags};
use crate::ports::{Marks, Member, PoolSeen, TableSeen};

/// The SDK's clients.
pub(super) struct TagReader {
    buckets: [aws_sdk_s3::Client; 2],
    stacks: [aws_sdk_cloudformation::Client; 2],
    tables: aws_sdk_dynamodb::Client,
    parameters: Parameters,
    pools: aws_sdk_cognitoidentityprovider::Client,
    keys: Client,
}

fn at<T>(clients: &[T; 2], place: Place) -> &T {
    match place {
        Place::Home => &clients[0],
        Place::Edge => &clients[1],
    }
}

impl TagReader {
    pub(super) fn new(home: &SdkConfig, edge: &SdkConfig) -> Self {
        let stacks = aws_sdk_cloudformation::Client::new;
        Self {
            buckets: [aws_sdk_s3::Client::new(home), aws_sdk_s3::Client::new(edge)],
            stacks: [stacks(home), stacks(edge)],
            tables: aws_sdk_dynamodb::Client::new(home),
            parameters: Parameters::new(home),
            pools: aws_sdk_cognitoidentityprovider::Client::new(home),
            keys: Client::new(&KMS, home),
        }
    }

    async fn has_parameter(&self, path: &str) -> Result<bool, Failure> {
        let found = self.parameters.get(path, false).await;
        let found = found.map_err(|error| translate(&format!("looking at `{path}`"), None, &error));
        Ok(found?.is_some())
    }

    async fn parameter_is(&self, path: &str, text: &Secret, tags: &Tags) -> Result<bool, Failure> {
        let found = self.parameters.get(path, true).await;
        let found = found.map_err(|error| translate(&format!("reading `{path}`"), None, &error))?;
        let same = found.and_then(|one| one.value).as_deref() == Some(text.expose());
        Ok(same && self.parameter(path).await?.as_ref() == Some(tags))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeySeen {
    key_metadata: Option<KeyMetadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeyMetadata {
    /// In seconds since 1970; only where the key is on its way out.
    deletion_date: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeyTags {
    tags: Vec<KeyTag>,
    truncated: bool,
    next_marker: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct KeyTag {
    tag_key: String,
    tag_value: String,
}

/// A failure to read tags; a missing permission says which one.
fn unreadable<E>(what: &str, action: &str, error: &aws_sdk_s3::error::SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let failure = translate(&format!("reading the tags of {what}"), None, error);
    if failure.kind == Kind::Access {
        return failure.help(format!(
            "without its tags its owner is unknown, so nothing was changed or deleted: \
             allow {action} (`spaceduck doctor --print-policy` prints the whole policy)"
        ));
    }
    failure
}

fn keys(table: &TableDescription) -> Vec<String> {
    let kind = |name: &str| {
        let of = table.attribute_definitions().iter().find(|one| one.attribute_name() == name);
        of.map_or("", |one| one.attribute_type().as_str()).to_owned()
    };
    let key = |one: &KeySchemaElement| {
        let name = one.attribute_name();
        format!("{name} {} {}", kind(name), one.key_type().as_str())
    };
    let mut keys: Vec<String> = table.key_schema().iter().map(key).collect();
    keys.sort();
    keys
}

#[async_trait]
impl Marks for TagReader {
    async fn bucket(&self, place: Place, bucket: &str) -> Result<Option<Tags>, Failure> {
        match at(&self.buckets, place).get_bucket_tagging().bucket(bucket).send().await {
            Ok(answer) => {
                let one = |tag: &aws_sdk_s3::types::Tag| (tag.key.clone(), tag.value.clone());
                Ok(Some(answer.tag_set().iter().map(one).collect()))
            }
            Err(error) if code(&error) == Some("NoSuchTagSet") => Ok(Some(Tags::new())),
            Err(error) if code(&error) == Some("NoSuchBucket") => Ok(None),
            Err(error) => {
                Err(unreadable(&format!("the bucket `{bucket}`"), "s3:GetBucketTagging", &error))
            }
        }
    }

    async fn table(&self, table: &str) -> Result<Option<TableSeen>, Failure> {
        let described = match self.tables.describe_table().table_name(table).send().await {
            Ok(described) => described,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => {
                return Err(translate(&format!("looking at the table `{table}`"), None, &error));
            }
        };
        let Some(seen) = described.table() else { return Ok(None) };
        let arn = seen.table_arn().unwrap_or_default();
        let (mut tags, mut next) = (Tags::new(), None);
        loop {
            let asked = self.tables.list_tags_of_resource().resource_arn(arn).set_next_token(next);
            let page = match asked.send().await {
                Ok(page) => page,
                Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(None),
                Err(error) => {
                    let what = format!("the table `{table}`");
                    return Err(unreadable(&what, "dynamodb:ListTagsOfResource", &error));
                }
            };
            tags.extend(page.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())));
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(Some(TableSeen { tags, keys: keys(seen) }));
            }
        }
    }

    async fn pool(&self, id: &str) -> Result<Option<PoolSeen>, Failure> {
        match self.pools.describe_user_pool().user_pool_id(id).send().await {
            Ok(answer) => Ok(answer.user_pool().map(|pool| PoolSeen {
                tags: pool.user_pool_tags().cloned().unwrap_or_default().into_iter().collect(),
                accounts: u64::try_from(pool.estimated_number_of_users()).unwrap_or_default(),
            })),
            Err(error) if code(&error) == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => {
                let what = format!("the user pool `{id}`");
                Err(unreadable(&what, "cognito-idp:DescribeUserPool", &error))
            }
        }
    }

    async fn key(&self, arn: &str) -> Result<Option<Tags>, Failure> {
        let described = Call::json("DescribeKey", json!({"KeyId": arn}));
        let described: KeySeen = match self.keys.ask(described).await {
            Ok(described) => described,
            Err(error) if code(&error) == Some("NotFoundException") => return Ok(None),
            Err(error) => return Err(translate(&format!("looking at `{arn}`"), None, &error)),
        };
        if described.key_metadata.is_none_or(|key| key.deletion_date.is_some()) {
            return Ok(None);
        }
        let (mut tags, mut asked) = (Tags::new(), json!({"KeyId": arn}));
        loop {
            let page = self.keys.ask::<KeyTags>(Call::json("ListResourceTags", asked.clone()));
            let page = page.await.map_err(|error| {
                unreadable(&format!("the key `{arn}`"), "kms:ListResourceTags", &error)
            })?;
            tags.extend(page.tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
            match page.next_marker.filter(|_| page.truncated) {
                Some(marker) => asked["Marker"] = marker.into(),
                None => return Ok(Some(tags)),
            }
        }
    }

    async fn parameter(&self, path: &str) -> Result<Option<Tags>, Failure> {
        let untold = |error: &_| {
            unreadable(&format!("the parameter `{path}`"), "ssm:ListTagsForResource", error)
        };
        match self.parameters.tags(path).await {
            Ok(tags) => {
                // Without tags it may be that there is no such parameter.
                if !tags.is_empty() {
                    return Ok(Some(tags));
                }
                if !self.has_parameter(path).await? {
                    return Ok(None);
                }
                // It may have come in between, and its tags with it.
                let tags = self.parameters.tags(path).await;
                tags.map(Some).map_err(|error| untold(&error))
            }
            Err(error) if code(&error) == Some("InvalidResourceId") => Ok(None),
            Err(error) => Err(untold(&error)),
        }
    }

    async fn create_parameter(
        &self,
        path: &str,
        text: &Secret,
        encrypted: bool,
        tags: &Tags,
    ) -> Result<bool, Failure> {
        let (text_of, tags_of) = (text.expose(), Some(tags));
        let new = New { path, text: text_of, secret: encrypted, over: false, tags: tags_of };
        match self.parameters.put(new).await {
            Ok(true) => Ok(true),
            // The same text with the same tags is ours: an earlier response was lost.
            Ok(false) => self.parameter_is(path, text, tags).await,
            Err(error) => Err(translate(&format!("writing `{path}`"), None, &error)),
        }
    }

    async fn members(&self, place: Place, arn: &str) -> Result<Vec<Member>, Failure> {
        let asked = at(&self.stacks, place).list_stack_resources().stack_name(arn);
        let mut pages = asked.into_paginator().send();
        let mut members = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                // Ninety days after its deletion a stack is forgotten.
                Err(error) if code(&error) == Some("ValidationError") => break,
                Err(error) => {
                    let doing = format!("listing the resources of `{arn}`");
                    return Err(translate(&doing, None, &error));
                }
            };
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            members.extend(page.stack_resource_summaries().iter().map(|one| Member {
                logical: text(one.logical_resource_id()),
                kind: text(one.resource_type()),
                physical: text(one.physical_resource_id()),
            }));
        }
        Ok(members)
    }
}
