//! Calls to Parameter Store: one parameter, a new text, what lies below a path.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_wire::{Call, Client, Refused, SSM};
use serde::Deserialize;
use serde_json::json;

use super::error::code;
use crate::model::Tags;
use crate::ports::Entry;

/// The client of one Region.
pub(super) struct Parameters(Client);

/// A parameter as far as we read it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: Option<String>,
    /// In seconds since 1970.
    last_modified_date: f64,
}

impl Parameter {
    pub(super) fn entry(self) -> Entry {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        let changed_at =
            if self.last_modified_date > 0.0 { self.last_modified_date as u64 } else { 0 };
        Entry { text: self.value.unwrap_or_default(), changed_at }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    parameter: Option<Parameter>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Page {
    parameters: Vec<Parameter>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tagged {
    tag_list: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// A parameter to write.
pub(super) struct New<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    /// Whether it is encrypted with the account's own key.
    pub(super) secret: bool,
    /// Whether it may be there already.
    pub(super) over: bool,
    /// What a new one carries.
    pub(super) tags: Option<&'a Tags>,
}

impl Parameters {
    pub(super) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(&SSM, config))
    }

    /// The same with something that looks at each call.
    pub(super) fn watched(&self, by: impl Intercept + 'static) -> Self {
        Self(self.0.watched(by))
    }

    /// A parameter; nothing where there is none.
    pub(super) async fn get(&self, path: &str, open: bool) -> Result<Option<Parameter>, Refused> {
        let asked = json!({"Name": path, "WithDecryption": open});
        match self.0.ask::<Found>(Call::json("GetParameter", asked)).await {
            Ok(found) => Ok(found.parameter),
            Err(error) if code(&error) == Some("ParameterNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a parameter; says whether it did, where it must not be there already.
    pub(super) async fn put(&self, new: New<'_>) -> Result<bool, Refused> {
        let kind = if new.secret { "SecureString" } else { "String" };
        let mut asked = json!({
            "Name": new.path, "Value": new.text, "Type": kind, "Overwrite": new.over,
        });
        if let Some(tags) = new.tags {
            let tag = |(key, value): (&String, &String)| json!({"Key": key, "Value": value});
            asked["Tags"] = tags.iter().map(tag).collect();
        }
        match self.0.tell(Call::json("PutParameter", asked)).await {
            Ok(()) => Ok(true),
            Err(error) if !new.over && code(&error) == Some("ParameterAlreadyExists") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a parameter. One that is gone is fine.
    pub(super) async fn delete(&self, path: &str) -> Result<(), Refused> {
        match self.0.tell(Call::json("DeleteParameter", json!({"Name": path}))).await {
            Err(error) if code(&error) != Some("ParameterNotFound") => Err(error),
            _ => Ok(()),
        }
    }

    /// All parameters below a path, with what lies below those.
    pub(super) async fn below(&self, path: &str) -> Result<Vec<Parameter>, Refused> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let mut asked = json!({"Path": path, "Recursive": true});
            if let Some(next) = next {
                asked["NextToken"] = next;
            }
            let page: Page = self.0.ask(Call::json("GetParametersByPath", asked)).await?;
            found.extend(page.parameters);
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token.into()),
                None => return Ok(found),
            }
        }
    }

    /// The tags of a parameter; none, too, where there is no such parameter.
    pub(super) async fn tags(&self, path: &str) -> Result<Tags, Refused> {
        let asked = json!({"ResourceType": "Parameter", "ResourceId": path});
        let found: Tagged = self.0.ask(Call::json("ListTagsForResource", asked)).await?;
        Ok(found.tag_list.into_iter().map(|tag| (tag.key, tag.value)).collect())
    }
}
