//! How often a code is sent to an address, and how often one may be guessed.
//!
//! The galaxy decides by its own journal, which it keeps for every address alike, known or not.
//! What the identity counts would tell the addresses that it knows from all others.

use time::{Duration, OffsetDateTime};

use super::Galaxy;
use crate::error::{BeakError, Result};
use crate::person::{CODE_LIFETIME, CODE_TRIES, Email};
use crate::ports::{Attempt, Journal, Mark};

/// How long to wait between two codes.
const SEND_EVERY: Duration = Duration::seconds(60);
/// How many codes an hour go to an address.
const CODES_AN_HOUR: usize = 4;
/// How many guesses an hour an address has for each of two kinds of callers: those with an attempt
/// of their own, and all others. Neither can use up what the other has.
const GUESSES_AN_HOUR: usize = 5;
/// The hour.
const HOUR: Duration = Duration::hours(1);
/// How many clients that asked for a code are kept. Each paid with a captcha.
const ASKERS: usize = 50;
/// How often a write starts over because another call wrote the same journal. Every lost round is
/// another call's success, and a journal has room for few of those.
pub(super) const ROUNDS: usize = 40;

const SENT: &str = "sent";
const ASKED: &str = "asked ";
const OWN_GUESS: &str = "guess own";
const OTHER_GUESS: &str = "guess";

/// What a code is for. Each has budgets of its own.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Hatch,
    Reset,
}

impl Purpose {
    fn journal(self, email: &Email) -> String {
        let word = match self {
            Self::Hatch => "hatch",
            Self::Reset => "reset",
        };
        format!("code#{word}#{}", email.sha256())
    }
}

/// Who guesses.
pub(super) enum Guesser<'a> {
    /// A caller whose attempt to hatch this is, if there is one.
    Of(Option<&'a Attempt>),
    /// A client, which may have asked for the code.
    At(Option<String>),
}

/// A guess that was counted and may be tried.
pub(super) struct Guess {
    journal: String,
    mark: Mark,
    /// Whose try it took.
    attempt: Option<Attempt>,
    /// Whether a code that was sent to the address is still good.
    is_current: bool,
    is_own: bool,
}

impl Guess {
    /// What to answer without asking the identity. An address that nobody sent a code to is like
    /// one whose code lapsed, except for callers who know that they asked.
    pub(super) fn refusal(&self) -> Option<BeakError> {
        match (self.is_current, self.is_own) {
            (true, _) => None,
            (false, true) => Some(BeakError::OtpExpired),
            (false, false) => Some(BeakError::OtpMismatch),
        }
    }
}

impl Galaxy {
    /// Takes one of the codes that an address gets in an hour, at most one a minute. `false`: the
    /// caller gets the same answer, and no mail is sent.
    pub(super) async fn take_code(
        &self,
        purpose: Purpose,
        email: &Email,
        from: Option<&str>,
    ) -> Result<bool> {
        let name = purpose.journal(email);
        self.write_in(&name, |journal, now| {
            if let Some(from) = from {
                note_asker(journal, format!("{ASKED}{from}"), now);
            }
            let sent = journal.marks.iter().filter(|mark| mark.what == SENT);
            let (mut count, mut newest) = (0, None);
            for mark in sent {
                (count, newest) = (count + 1, Some(mark.at));
            }
            let waits = newest.is_some_and(|at| now - at < SEND_EVERY);
            let sends = !waits && count < CODES_AN_HOUR;
            if sends {
                journal.marks.push(Mark { at: now, what: SENT.into() });
            }
            Ok(sends)
        })
        .await
    }

    /// Gives a code back that could not be sent.
    pub(super) async fn untake_code(&self, purpose: Purpose, email: &Email) -> Result<()> {
        let name = purpose.journal(email);
        self.write_in(&name, |journal, _| {
            if let Some(at) = journal.marks.iter().rposition(|mark| mark.what == SENT) {
                journal.marks.remove(at);
            }
            Ok(())
        })
        .await
    }

    /// Forgets the codes sent for an account that its owner deleted, so that the address can hatch
    /// again at once. Guesses stay counted.
    pub(super) async fn end_cooldown(&self, email: &Email) -> Result<()> {
        self.write_in(&Purpose::Hatch.journal(email), |journal, _| {
            journal.marks.retain(|mark| mark.what != SENT);
            Ok(())
        })
        .await
    }

    /// Counts a guess before it is tried, so that no more than so many can be tried at once.
    pub(super) async fn guess(
        &self,
        purpose: Purpose,
        email: &Email,
        by: Guesser<'_>,
    ) -> Result<Guess> {
        // The attempt first: one whose tries are used up must not use up what others have.
        let attempt = match &by {
            Guesser::Of(Some(attempt)) => Some((*attempt).clone()),
            _ => None,
        };
        if let Some(attempt) = &attempt
            && !self.ports.accounts.take_try(attempt, CODE_TRIES).await?
        {
            return Err(BeakError::OtpExpired);
        }
        match self.count_guess(purpose.journal(email), &by).await {
            Ok(guess) => Ok(Guess { attempt, ..guess }),
            Err(error) => {
                self.give_back_try(attempt.as_ref()).await?;
                Err(error)
            }
        }
    }

    async fn count_guess(&self, name: String, by: &Guesser<'_>) -> Result<Guess> {
        self.write_in(&name, |journal, now| {
            let is_own = match by {
                Guesser::Of(attempt) => attempt.is_some(),
                Guesser::At(from) => from.as_ref().is_some_and(|from| {
                    let asked = format!("{ASKED}{from}");
                    journal.marks.iter().any(|mark| mark.what == asked)
                }),
            };
            let what = if is_own { OWN_GUESS } else { OTHER_GUESS };
            let mut made = journal.marks.iter().filter(|mark| mark.what == what).peekable();
            let oldest = made.peek().map_or(now, |mark| mark.at);
            if made.count() >= GUESSES_AN_HOUR {
                let retry_after = (oldest + HOUR - now).max(Duration::SECOND);
                return Err(BeakError::RateLimited { retry_after });
            }
            let newest = journal.marks.iter().rfind(|mark| mark.what == SENT);
            let is_current = newest.is_some_and(|sent| now - sent.at < CODE_LIFETIME);
            let mark = Mark { at: now, what: what.into() };
            journal.marks.push(mark.clone());
            Ok(Guess { journal: name.clone(), mark, attempt: None, is_current, is_own })
        })
        .await
    }

    /// Takes a guess back that failed through no fault of its own.
    pub(super) async fn take_back(&self, guess: &Guess) -> Result<()> {
        self.give_back_try(guess.attempt.as_ref()).await?;
        self.write_in(&guess.journal, |journal, _| {
            if let Some(at) = journal.marks.iter().position(|mark| *mark == guess.mark) {
                journal.marks.remove(at);
            }
            Ok(())
        })
        .await
    }

    async fn give_back_try(&self, attempt: Option<&Attempt>) -> Result<()> {
        match attempt {
            Some(attempt) => self.ports.accounts.give_back_try(attempt).await,
            None => Ok(()),
        }
    }

    /// Changes the journal of a name, over again when another call was faster. An error of `change`
    /// leaves it as it is.
    pub(super) async fn write_in<T>(
        &self,
        name: &str,
        change: impl Fn(&mut Journal, OffsetDateTime) -> Result<T> + Send,
    ) -> Result<T> {
        for _ in 0..ROUNDS {
            let now = self.now();
            let kept = self.ports.journals.journal(name).await?;
            let version = kept.as_ref().map_or(0, |kept| kept.version);
            let mut journal = kept.filter(|kept| now < kept.until).unwrap_or_else(|| Journal {
                name: name.to_owned(),
                version,
                until: now,
                marks: Vec::new(),
                in_a_row: 0,
            });
            journal.marks.retain(|mark| now - mark.at < HOUR);
            let before = journal.clone();
            let answer = change(&mut journal, now)?;
            if journal == before {
                return Ok(answer);
            }
            journal.version = version + 1;
            journal.until = journal.until.max(now + HOUR);
            if self.ports.journals.write_journal(&journal).await? {
                return Ok(answer);
            }
        }
        Err(BeakError::Unavailable("a journal was written again and again".into()))
    }
}

fn note_asker(journal: &mut Journal, what: String, now: OffsetDateTime) {
    journal.marks.retain(|mark| mark.what != what);
    let askers = journal.marks.iter().filter(|mark| mark.what.starts_with(ASKED)).count();
    if askers >= ASKERS
        && let Some(oldest) = journal.marks.iter().position(|mark| mark.what.starts_with(ASKED))
    {
        journal.marks.remove(oldest);
    }
    journal.marks.push(Mark { at: now, what });
}
