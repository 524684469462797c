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
/// Behind it, if there is one, the attempt whose try it took: kept beyond the hour, since an
/// attempt has its tries for good.
const OWN_GUESS: &str = "guess own";
const OTHER_GUESS: &str = "guess";
/// That all tries of the attempts made until then are taken for used up.
const SPENT: &str = "spent";
/// How many tries are kept one by one. At five an hour, an attempt loses its own to this after
/// eight hours of others' wrong codes.
const TRIES_KEPT: usize = 40;
/// How long tries are remembered where nothing else happens.
const TRIES_LAST: Duration = Duration::days(365);

/// A guess that takes a try of an attempt.
fn try_of(attempt: &Attempt) -> String {
    format!("{OWN_GUESS} {}", attempt.id)
}

fn is_try(mark: &Mark) -> bool {
    mark.what.strip_prefix(OWN_GUESS).is_some_and(|rest| !rest.is_empty())
}

/// Whether an attempt has no try left.
fn is_used_up(journal: &Journal, attempt: &Attempt) -> bool {
    let own = try_of(attempt);
    let tries = journal.marks.iter().filter(|mark| mark.what == own).count();
    let spent = journal.marks.iter().any(|mark| mark.what == SPENT && attempt.at <= mark.at);
    spent || tries >= CODE_TRIES as usize
}

/// Keeps no more tries one by one than there is room for.
fn make_room(journal: &mut Journal) {
    while journal.marks.iter().filter(|mark| is_try(mark)).count() >= TRIES_KEPT {
        let Some(oldest) = journal.marks.iter().position(is_try) else { return };
        let at = journal.marks.remove(oldest).at;
        journal.marks.retain(|mark| mark.what != SPENT);
        journal.marks.insert(0, Mark { at, what: SPENT.into() });
    }
}

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
        self.write_in(&Purpose::Hatch.journal(email), |journal, now| {
            journal.marks.retain(|mark| mark.what != SENT);
            // Attempts end with the account.
            journal.marks.retain(|mark| mark.what != SPENT);
            for mark in journal.marks.iter_mut().filter(|mark| is_try(mark)) {
                mark.what = OWN_GUESS.into();
            }
            journal.marks.retain(|mark| now - mark.at < HOUR);
            journal.until = now;
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
        let name = purpose.journal(email);
        self.write_in(&name, |journal, now| {
            let attempt = match by {
                Guesser::Of(attempt) => attempt,
                Guesser::At(_) => None,
            };
            // The attempt first: one whose tries are used up must not use up what others have.
            if attempt.is_some_and(|attempt| is_used_up(journal, attempt)) {
                return Err(BeakError::OtpExpired);
            }
            let is_own = match &by {
                Guesser::Of(attempt) => attempt.is_some(),
                Guesser::At(from) => from.as_ref().is_some_and(|from| {
                    let asked = format!("{ASKED}{from}");
                    journal.marks.iter().any(|mark| mark.what == asked)
                }),
            };
            let kind = |mark: &&Mark| {
                let own = mark.what.starts_with(OWN_GUESS);
                own == is_own && (own || mark.what == OTHER_GUESS) && now - mark.at < HOUR
            };
            let mut made = journal.marks.iter().filter(kind).peekable();
            let oldest = made.peek().map_or(now, |mark| mark.at);
            if made.count() >= GUESSES_AN_HOUR {
                let retry_after = (oldest + HOUR - now).max(Duration::SECOND);
                return Err(BeakError::RateLimited { retry_after });
            }
            let newest = journal.marks.iter().rfind(|mark| mark.what == SENT);
            let is_current = newest.is_some_and(|sent| now - sent.at < CODE_LIFETIME);
            let what = match attempt {
                Some(attempt) => {
                    make_room(journal);
                    journal.until = now + TRIES_LAST;
                    try_of(attempt)
                }
                None => if is_own { OWN_GUESS } else { OTHER_GUESS }.into(),
            };
            let mark = Mark { at: now, what };
            journal.marks.push(mark.clone());
            Ok(Guess { journal: name.clone(), mark, is_current, is_own })
        })
        .await
    }

    /// Takes a guess back that failed through no fault of its own.
    pub(super) async fn take_back(&self, guess: &Guess) -> Result<()> {
        self.write_in(&guess.journal, |journal, _| {
            if let Some(at) = journal.marks.iter().position(|mark| *mark == guess.mark) {
                journal.marks.remove(at);
            }
            Ok(())
        })
        .await
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
            let lasts = |mark: &Mark| is_try(mark) || mark.what == SPENT;
            journal.marks.retain(|mark| lasts(mark) || now - mark.at < HOUR);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::HatchId;
    use crate::person::DisplayName;

    fn attempt(hour: i64) -> Attempt {
        let at = OffsetDateTime::UNIX_EPOCH + HOUR * i32::try_from(hour).expect("small");
        Attempt {
            id: HatchId::new(at, [7; 16]),
            address: "digest".into(),
            from: None,
            display_name: DisplayName::kept("Swan"),
            at,
        }
    }

    /// Nobody makes a journal grow without end, and an attempt never gets its tries back.
    #[test]
    fn tries_are_kept_within_bounds_and_never_given_back() {
        let until = OffsetDateTime::UNIX_EPOCH;
        let name = String::new();
        let mut journal = Journal { name, version: 1, until, marks: Vec::new(), in_a_row: 0 };
        for hour in 0..100 {
            let own = attempt(hour);
            for _ in 0..CODE_TRIES {
                assert!(!is_used_up(&journal, &own), "{hour}");
                make_room(&mut journal);
                journal.marks.push(Mark { at: own.at, what: try_of(&own) });
            }
            assert!(is_used_up(&journal, &own));
        }
        assert!(journal.marks.len() <= TRIES_KEPT + 1);
        assert!((0..100).all(|hour| is_used_up(&journal, &attempt(hour))));
        assert!(!is_used_up(&journal, &attempt(100)));
    }
}
