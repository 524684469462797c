//! A galaxy of the account in lines for people.

use crate::escape::one_line;
use crate::event::Galaxy;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// One line, and one more for each problem.
pub(super) fn text(galaxy: &Galaxy) -> String {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let age = galaxy.age_seconds.map(|seconds| match seconds / DAY {
        0 => "today".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    });
    let cost =
        galaxy.idle_cents.map(|cents| format!("from ${}.{:02}/month", cents / 100, cents % 100));
    let line = format!(
        "{:<20}  {:<14}  {:<8}  {:<9}  {}",
        galaxy.galaxy,
        known(&galaxy.region),
        known(&galaxy.release),
        known(&age),
        known(&cost)
    );
    let wrong = galaxy.wrong.iter().map(|why| format!("\n  {}", one_line(why)));
    std::iter::once(line.trim_end().to_owned()).chain(wrong).collect()
}
