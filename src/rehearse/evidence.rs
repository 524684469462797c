//! Evidence from the account in memory.

use async_trait::async_trait;

use super::Account;
use super::services::DAY;
use crate::failure::Failure;
use crate::model::Place;
use crate::ports::{Answer, Denied, Evidence, Lapse, Right, Web as _, WebPage};

#[async_trait]
impl Evidence for Account {
    async fn history(&self, place: Place, stack: &str) -> Result<Vec<Lapse>, Failure> {
        self.may("Evidence::history")?;
        self.hear()?;
        let now = Self::now(self);
        let state = self.state();
        let found = state.stacks.iter().rev().find(|one| {
            one.proposal.place == place && (one.proposal.name == stack || one.arn == stack)
        });
        let events = found.map(|stack| stack.told(now)).unwrap_or_default();
        let lapse = |(at, event): (std::time::Duration, crate::ports::StackEvent)| Lapse {
            resource: event.resource,
            kind: event.kind,
            status: event.status,
            reason: event.reason,
            at: DAY + at.as_secs(),
        };
        Ok(events.into_iter().map(lapse).collect())
    }

    async fn denied_to(&self, _: &str, rights: &[Right]) -> Result<Vec<Denied>, Failure> {
        self.may("Evidence::denied_to")?;
        self.hear()?;
        let state = self.state();
        let mut denied = Vec::new();
        for right in rights {
            for action in &right.actions {
                if let Some(forbidden) = state.health.is_denied(action) {
                    let resource = right.resources.first().cloned().unwrap_or_default();
                    denied.push(Denied { action: action.clone(), resource, forbidden });
                }
            }
        }
        Ok(denied)
    }

    async fn trust(&self, role: &str) -> Result<Option<String>, Failure> {
        self.may("Evidence::trust")?;
        self.hear()?;
        let state = self.state();
        let made = state.stacks.iter().find(|one| one.outputs.values().any(|out| out == role));
        let body = made.map(|stack| stack.proposal.body.as_str());
        // The part of the template about who may assume the role.
        let part = |body: &str| {
            let from = body.find("AssumeRolePolicyDocument")?;
            let rest = &body[from..];
            Some(rest[..rest.find("Policies:").unwrap_or(rest.len())].to_owned())
        };
        Ok(body.and_then(part))
    }

    async fn page(&self, url: &str) -> Result<WebPage, String> {
        match self.get(url).await {
            Answer::Silence(reason) => Err(reason),
            Answer::Status(status) => {
                let mut headers = std::collections::BTreeMap::new();
                for (name, value) in galaxy_sites::headers("") {
                    headers.insert(name.to_owned(), value);
                }
                headers.insert("strict-transport-security".into(), "max-age=300".into());
                Ok(WebPage { status, headers, text: String::new() })
            }
        }
    }
}
