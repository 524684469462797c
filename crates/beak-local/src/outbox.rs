//! The outbox: mails that never leave the machine, as JSON and as a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use beak_core::mail::{Mail, escape};
use beak_core::ports::{Clock, MailState, Mailer};
use beak_core::{BeakError, Duration, OffsetDateTime, Result};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;

use crate::db::{Db, OUTBOX, Span, Writing};
use crate::store::is_ended;

/// How many mails are kept.
const KEPT: u64 = 1000;

/// A mail, as stored and as `/outbox.json` returns it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Posted {
    to: String,
    subject: String,
    text: String,
    html: String,
    sent_at: String,
    /// The headers of RFC 8058, where a mail has them.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl Posted {
    /// The code that the mail carries, if it carries one.
    fn own_code(&self) -> Option<&str> {
        let mut runs = self.text.split(|c: char| !c.is_ascii_digit());
        runs.find(|run| run.len() == 6).filter(|_| self.subject == Mail::CODE_SUBJECT)
    }
}

#[cfg(test)]
impl Posted {
    pub(crate) fn is_to(&self, address: &str) -> bool {
        self.to == address
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The code that the mail carries there, if it carries one.
    pub(crate) fn code(&self, to: &str) -> Option<&str> {
        self.own_code().filter(|_| self.is_to(to))
    }
}

/// Puts a mail into the outbox, as part of a transaction. As SES does, it takes none to an address
/// that has bounced or complained, codes included.
pub(crate) fn post(txn: &Writing, mail: &Mail, now: OffsetDateTime) -> Result<()> {
    if is_ended(txn, &mail.to)? {
        return Ok(());
    }
    let newest = Span { from: "", to: "~", backwards: true, limit: 1 };
    let newest = txn.list::<Posted>(OUTBOX, &newest)?;
    let last = newest.first().and_then(|(key, _)| key.parse::<u64>().ok()).unwrap_or(0);
    let sent_at = now.format(&Rfc3339).map_err(|e| BeakError::Internal(e.to_string()))?;
    let posted = Posted {
        to: mail.to.as_str().to_owned(),
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        html: mail.html.clone(),
        sent_at,
        headers: mail.headers().collect(),
    };
    txn.put(OUTBOX, &key(last + 1), &posted)?;
    txn.remove(OUTBOX, &key((last + 1).saturating_sub(KEPT)))?;
    Ok(())
}

fn key(number: u64) -> String {
    format!("{number:020}")
}

/// Sends by keeping.
pub(crate) struct Outbox {
    pub(crate) db: Arc<Db>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &Mail) -> Result<()> {
        let (mail, now) = (mail.clone(), self.clock.now());
        self.db.write(move |txn| post(txn, &mail, now)).await
    }

    async fn state(&self) -> Result<MailState> {
        let day = Duration::hours(24);
        let since = |mail: &Posted| OffsetDateTime::parse(&mail.sent_at, &Rfc3339);
        let fresh = |mail: &&Posted| since(mail).is_ok_and(|at| self.clock.now() - at < day);
        let sent = self.list()?.iter().filter(fresh).count() as u64;
        Ok(MailState { sender: true, sandbox: false, quota: None, sent })
    }
}

impl Outbox {
    /// All mails, newest first.
    pub(crate) fn list(&self) -> Result<Vec<Posted>> {
        let all = Span { from: "", to: "~", backwards: true, limit: usize::MAX };
        let entries = self.db.read(|txn| txn.list::<Posted>(OUTBOX, &all))?;
        Ok(entries.into_iter().map(|(_, posted)| posted).collect())
    }
}

/// The outbox as a page. Its script loads new mail and writes times as people say them; nothing
/// reloads under a reader.
pub(crate) fn page(mails: &[Posted]) -> String {
    let mut list = String::from(
        "<section class=\"prose\">\n<p id=\"said\" role=\"status\">New mail appears here by \
         itself.</p>\n<div id=\"mails\" class=\"mails\">\n",
    );
    for mail in mails {
        list.push_str(&article(mail));
    }
    if mails.is_empty() {
        list.push_str("<p>No mail yet. Hatch a duckling, and its code arrives here.</p>\n");
    }
    list.push_str("</div>\n</section>\n");
    crate::pages::Page {
        path: "/outbox",
        title: "Outbox",
        lead: "Every email this galaxy would send, newest first. None leaves this machine.",
        script: "shared/outbox.js",
        main: &list,
    }
    .html()
}

fn article(mail: &Posted) -> String {
    let code = mail.own_code().map_or_else(String::new, |code| {
        format!("<div class=\"code big\"><pre><code>{code}</code></pre></div>\n")
    });
    let sent = OffsetDateTime::parse(&mail.sent_at, &Rfc3339).ok();
    let form = time::macros::format_description!(
        "[hour]:[minute] UTC, [day padding:none] [month repr:short]"
    );
    let shown = sent.and_then(|at| at.format(&form).ok()).unwrap_or_else(|| mail.sent_at.clone());
    format!(
        "<article class=\"mail\">\n<h2>{}</h2>\n<p class=\"soft\">To <strong>{}</strong>, \
         <time datetime=\"{}\">{shown}</time></p>\n{code}<p class=\"text\">{}</p>\n</article>\n",
        escape(&mail.subject),
        escape(&mail.to),
        escape(&mail.sent_at),
        linked(&mail.text),
    )
}

/// Escapes a mail's text and makes links of its addresses.
fn linked(text: &str) -> String {
    let word = |word: &str| {
        let address = word.trim_end();
        if address.starts_with("http://") || address.starts_with("https://") {
            return format!("<a href=\"{0}\">{0}</a>{1}", escape(address), &word[address.len()..]);
        }
        escape(word)
    };
    text.trim_end().split_inclusive([' ', '\n']).map(word).collect()
}
