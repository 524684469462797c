//! Whom the galaxy's mail reaches: mails that are not sent any more, what people are told while
//! not everybody can be reached, and what operators see of it.

use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::Galaxy;
use crate::error::Result;
use crate::feedback::Reports;
use crate::mail::Mail;
use crate::ports::{Alarm, MailState};

/// How long is gone by what was seen, so that callers can't wear out what is asked for it.
const GOOD_FOR: Duration = Duration::seconds(60);

/// What somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The mail with a code.
    Code,
    /// The mail that offers the newsletter.
    Offer,
}

impl Awaited {
    fn note(self, mail: &MailState) -> Option<&'static str> {
        let used_up = mail.quota.is_some_and(|quota| mail.sent >= quota);
        match self {
            Self::Offer if !mail.sender => Some(
                "This galaxy has no sender for its newsletter yet, so no mail comes. Please ask \
                 again another day.",
            ),
            Self::Code if !mail.sender => Some(
                "This galaxy may send only a few codes a day. If none comes within ten minutes, \
                 look among your unwanted mail, and try again tomorrow.",
            ),
            _ if mail.sandbox => Some(
                "Email from this galaxy does not reach every address yet. If none arrives \
                 within ten minutes, ask the operator to verify your address, or try again in a \
                 few days.",
            ),
            _ if used_up => Some(
                "This galaxy has sent as many mails as it may in a day. If none comes within ten \
                 minutes, please try again tomorrow.",
            ),
            _ => None,
        }
    }
}

/// Something that was looked at, as long as it is fresh.
pub(super) struct Fresh<T>(Mutex<Option<(OffsetDateTime, T)>>);

impl<T> Default for Fresh<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Fresh<T> {
    /// What was seen not long ago, or what a new look shows. A failed look is kept as well, so
    /// that what is broken is not asked with every call.
    async fn get(&self, now: OffsetDateTime, look: impl Future<Output = T> + Send) -> T {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, seen)) = seen.filter(|(at, _)| (now - *at).abs() < GOOD_FOR) {
            return seen;
        }
        let seen = look.await;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, seen.clone()));
        seen
    }
}

impl Galaxy {
    /// Sends a mail, unless its address bounced for good or complained. The caller never learns.
    pub(super) async fn mail(&self, mail: &Mail) -> Result<()> {
        if self.ports.feedback.is_unreachable(&mail.to).await? {
            return Ok(());
        }
        self.ports.mailer.send(mail).await
    }

    /// What whoever waits for a mail should know while not everybody can be reached. It goes by
    /// the galaxy alone, never by the address, so it says nothing of anybody.
    pub async fn note(&self, awaited: Awaited) -> Option<&'static str> {
        let look = async { self.ports.mailer.state().await.ok() };
        awaited.note(&self.mail_seen.get(self.now(), look).await?)
    }

    /// How the mail stands, and what receivers have told of it.
    pub(super) async fn mail_inside(&self) -> Result<(MailState, Reports)> {
        Ok((self.ports.mailer.state().await?, self.ports.feedback.reports().await?))
    }

    /// How the alarms stand; none on one machine. Nothing where that could not be found out.
    pub(super) async fn alarms(&self) -> Option<Vec<Alarm>> {
        let Some(alarms) = &self.ports.alarms else { return Some(Vec::new()) };
        self.alarms_seen.get(self.now(), async { alarms.alarms().await.ok() }).await
    }
}
