//! One-time codes: since when one is waited for, and how often it was tried.
//!
//! An identity knows both, but only of addresses that it knows, so what it says would tell them
//! from others. Therefore the galaxy keeps both itself, of every address that a code was asked
//! for, and decides by them before the identity is asked, whose answer is then a yes or a no.

use super::Galaxy;
use super::pecks::TRIES;
use crate::duckling::EGG_LIFETIME;
use crate::error::{BeakError, Result};
use crate::person::{CODE_LIFETIME, CODE_TRIES, Email};
use crate::ports::CodeAsked;

/// What a code is for. Each has its own tries.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Hatch,
    Reset,
}

impl Purpose {
    fn name(self, email: &Email) -> String {
        let word = match self {
            Self::Hatch => "hatch",
            Self::Reset => "reset",
        };
        format!("{word}#{}", email.sha256())
    }
}

impl Galaxy {
    /// Notes that a code was asked for: from now on its time runs and its tries are counted anew.
    /// Before it is sent, so that a crash in between leaves no code that nobody waits for.
    pub(super) async fn note_code(&self, purpose: Purpose, email: &Email) -> Result<()> {
        let (name, at) = (purpose.name(email), self.now());
        // Much longer than the code is good: whoever comes late learns that it was too late.
        let asked = CodeAsked { name, at, until: at + EGG_LIFETIME, tries: 0 };
        self.ports.codes.note_code(&asked).await
    }

    /// Lets `judge` try a code, if there is one to try. `None` from it is a wrong code.
    pub(super) async fn try_code<T>(
        &self,
        purpose: Purpose,
        email: &Email,
        judge: impl Future<Output = Result<Option<T>>> + Send,
    ) -> Result<T> {
        let taken = self.take_try(&purpose.name(email)).await?;
        match judge.await {
            Ok(right) => right.ok_or(BeakError::OtpMismatch),
            Err(error) => {
                // Something is broken, or the password was not good enough: not the code's fault.
                self.ports.codes.give_back(&taken).await?;
                Err(error)
            }
        }
    }

    /// Taken before the code is tried, so that no more than so many can be tried at once.
    async fn take_try(&self, name: &str) -> Result<CodeAsked> {
        for _ in 0..TRIES {
            let now = self.now();
            let asked = self.ports.codes.noted_code(name).await?;
            let asked = asked.filter(|asked| now < asked.until).ok_or(BeakError::OtpMismatch)?;
            if now >= asked.at + CODE_LIFETIME || asked.tries >= CODE_TRIES {
                return Err(BeakError::OtpExpired);
            }
            if self.ports.codes.take_try(&asked, CODE_TRIES).await? {
                return Ok(asked);
            }
        }
        Err(BeakError::Unavailable("a code was asked for again and again".into()))
    }
}
