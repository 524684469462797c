//! When SES was last called about the account, and its answer: so that readers of the status,
//! however many, cause few calls and never two in a second.

use std::time::{Duration, Instant};

/// SES lets an account make one control call a second. Source: "Service quotas in Amazon SES",
/// Amazon SES Developer Guide.
const BETWEEN: Duration = Duration::from_secs(1);

/// How long SES's answer is cached, unless a mail of ours has left since.
const GOOD_FOR: Duration = Duration::from_mins(1);

/// The caller of SES holds this, so that the others wait and then find the answer.
#[derive(Debug)]
pub(crate) struct Asked<T> {
    begun: Option<Instant>,
    kept: Option<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    at: Instant,
    mails: u64,
    answer: T,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self { begun: None, kept: None }
    }
}

impl<T: Clone> Asked<T> {
    /// What was said not long ago, when as many mails of ours had left as now.
    pub(crate) fn kept(&self, now: Instant, mails: u64) -> Option<T> {
        let fresh = |kept: &&Kept<T>| kept.mails == mails && now - kept.at < GOOD_FOR;
        self.kept.as_ref().filter(fresh).map(|kept| kept.answer.clone())
    }

    /// When SES may be asked again.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        self.begun.map_or(now, |begun| now.max(begun + BETWEEN))
    }

    /// Notes a call to SES. Noted before the answer: a call whose caller gave up counts as well.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.begun = Some(now);
    }

    /// What it said, good or bad: what is broken is not asked all the time either.
    pub(crate) fn keep(&mut self, now: Instant, mails: u64, answer: T) {
        self.kept = Some(Kept { at: now, mails, answer });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_asks_twice_in_a_second_or_without_need() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut asked = Asked::default();
        assert_eq!((asked.kept(start, 0), asked.next(start)), (None, start));
        asked.begin(start);
        assert_eq!(asked.next(after(1)), after(1_000), "also of one that was given up");
        asked.keep(after(300), 0, "so");
        assert_eq!(asked.kept(after(60_299), 0), Some("so"));
        assert_eq!(asked.kept(after(60_300), 0), None, "too old");
        assert_eq!(asked.kept(after(400), 1), None, "a mail has left since");
        assert_eq!(asked.next(after(400)), after(1_000));
        assert_eq!(asked.next(after(5_000)), after(5_000));
    }
}
