//! Everything else of the account in memory: function, secrets, notes, people, the outside, time.

use std::time::Duration;

use async_trait::async_trait;

use super::sim::Sim;
use super::{Account, Fault, Pace};
use crate::failure::Failure;
use crate::model::Secret;
use crate::ports::{
    Answer, Clock, Entry, Functions, Joined, LiveVersion, LogLine, Notes, Offer, People, Secrets,
    Web,
};

/// When it all happens, in seconds since 1970; any day will do.
pub(super) const DAY: u64 = 1_800_000_000;

#[async_trait]
impl Functions for Account {
    async fn check(&self, _: &str, version: &str) -> Result<Option<String>, Failure> {
        self.may("Functions::check")?;
        self.hear()?;
        let unwell = self.state().faults.contains(&Fault::VersionUnwell(version.to_owned()));
        Ok(unwell.then(|| "it answers with status 500".to_owned()))
    }

    async fn live(&self, _: &str) -> Result<Option<LiveVersion>, Failure> {
        self.may("Functions::live")?;
        self.hear()?;
        let state = self.state();
        let stack = state.stacks.iter().find(|stack| stack.outputs.contains_key("NewVersion"));
        let version = stack.map(|stack| stack.live.clone()).filter(|live| !live.is_empty());
        Ok(version.map(|version| {
            let sha256 = stack.and_then(|stack| stack.code_of(&version)).unwrap_or_default();
            LiveVersion { version, sha256 }
        }))
    }

    async fn point(&self, function: &str, version: &str) -> Result<bool, Failure> {
        self.may("Functions::point")?;
        self.effect(format!("point {function} to {version}"), |state| {
            let stack =
                state.stacks.iter_mut().find(|stack| stack.outputs.contains_key("NewVersion"));
            if let Some(stack) = stack {
                version.clone_into(&mut stack.live);
            }
            Ok(true)
        })
    }
}

#[async_trait]
impl Secrets for Account {
    async fn read(&self, path: &str) -> Result<Option<Secret>, Failure> {
        self.may("Secrets::read")?;
        self.hear()?;
        Ok(self.state().secrets.get(path).cloned().map(Secret::new))
    }

    async fn write(&self, path: &str, secret: &Secret) -> Result<(), Failure> {
        self.may("Secrets::write")?;
        self.effect(format!("write {path}"), |state| {
            state.secrets.insert(path.to_owned(), secret.expose().to_owned());
            Ok(())
        })
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        self.may("Secrets::remove")?;
        self.effect(format!("remove {path}"), |state| {
            state.secrets.remove(path);
            Ok(())
        })
    }
}

#[async_trait]
impl Notes for Account {
    async fn get(&self, path: &str) -> Result<Option<String>, Failure> {
        self.may("Notes::get")?;
        Ok(self.state().notes.get(path).cloned())
    }

    async fn put_new(&self, path: &str, text: &str) -> Result<bool, Failure> {
        self.may("Notes::put_new")?;
        let now = Clock::now(self);
        let mut state = self.state();
        if state.notes.contains_key(path) {
            return Ok(false);
        }
        state.notes.insert(path.to_owned(), text.to_owned());
        state.noted_at.insert(path.to_owned(), now);
        Ok(true)
    }

    async fn put(&self, path: &str, text: &str) -> Result<(), Failure> {
        self.may("Notes::put")?;
        let now = Clock::now(self);
        let mut state = self.state();
        state.notes.insert(path.to_owned(), text.to_owned());
        state.noted_at.insert(path.to_owned(), now);
        Ok(())
    }

    async fn remove(&self, path: &str) -> Result<(), Failure> {
        self.may("Notes::remove")?;
        self.state().notes.remove(path);
        Ok(())
    }

    async fn entry(&self, path: &str) -> Result<Option<Entry>, Failure> {
        self.may("Notes::entry")?;
        let state = self.state();
        let text = state.notes.get(path).cloned();
        let changed_at = state.noted_at.get(path).copied().unwrap_or(DAY);
        Ok(text.map(|text| Entry { text, changed_at }))
    }
}

#[async_trait]
impl Web for Account {
    /// A host answers as soon as what stands behind it does.
    async fn get(&self, url: &str) -> Answer {
        let host = url.split('/').nth(2).unwrap_or_default();
        let known = self.leads(host, &["CNAME", "ALIAS"]);
        let mut state = self.state();
        let now = self.time(&state);
        let own = |stack: &&Sim| stack.outputs.get("AttachedDomain").is_some_and(|d| d == host);
        if !known && state.stacks.iter().any(|stack| own(&stack)) {
            return Answer::Silence(format!("unknown host {host}"));
        }
        let is_of = |stack: &&Sim| stack.hosts().iter().any(|of| of == host);
        let answer = match state.stacks.iter().filter(|s| s.is_there(now)).find(is_of) {
            Some(stack) if state.faults.contains(&Fault::AnswersBadly(stack.live.clone())) => {
                Answer::Status(500)
            }
            Some(stack) if stack.answers(now) => Answer::Status(200),
            Some(_) => Answer::Status(503),
            None if state.post.website.as_deref() == Some(host) => Answer::Status(200),
            None => Answer::Silence(format!("unknown host {host}")),
        };
        let stack = state.stacks.iter().filter(|s| s.is_there(now)).find(is_of);
        if let (Some(group), Answer::Status(status)) = (stack.and_then(Sim::log_group), &answer) {
            let route = url.split("/prod").nth(1).unwrap_or_default();
            let text = format!(r#"{{"route":"{route}","status":{status}}}"#);
            let at = (DAY + now.as_secs()) * 1000;
            let id = state.logs.len().to_string();
            state.logs.push((group, LogLine { at, text, id }));
        }
        answer
    }
}

#[async_trait]
impl Clock for Account {
    async fn sleep(&self, time: Duration) {
        let pace = self.state().pace;
        match pace {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            Pace::Times(speed) => tokio::time::sleep(time / speed).await,
            Pace::Skip => {
                self.state().since.0 += time;
                // Others get their turn; nobody waits.
                tokio::task::yield_now().await;
            }
        }
    }

    fn elapsed(&self) -> Duration {
        Self::now(self)
    }

    fn now(&self) -> u64 {
        DAY + Self::now(self).as_secs()
    }
}

#[async_trait]
impl People for Account {
    async fn add(
        &self,
        pool: &str,
        _: &str,
        email: &str,
        password: Offer<'_>,
    ) -> Result<Joined, Failure> {
        self.may("People::add")?;
        let key = (pool.to_owned(), email.to_owned());
        if !self.state().people.contains_key(&key) {
            password.shown()?;
        }
        Ok(match self.state().people.insert(key, true) {
            None => Joined::New,
            Some(false) => Joined::Member,
            Some(true) => Joined::Already,
        })
    }

    async fn remove(&self, pool: &str, _: &str, email: &str) -> Result<bool, Failure> {
        self.may("People::remove")?;
        let key = (pool.to_owned(), email.to_owned());
        let mut state = self.state();
        Ok(state.people.get_mut(&key).is_some_and(|operator| std::mem::replace(operator, false)))
    }

    /// People in memory have no second factor.
    async fn reset_factor(&self, _: &str, _: &str, _: &str) -> Result<bool, Failure> {
        self.may("People::reset_factor")?;
        Ok(false)
    }

    async fn operators(&self, pool: &str) -> Result<Vec<String>, Failure> {
        self.may("People::operators")?;
        let state = self.state();
        let operators = state.people.iter().filter(|((of, _), is)| of == pool && **is);
        Ok(operators.map(|((_, email), _)| email.clone()).collect())
    }
}
