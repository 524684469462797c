//! A release on record, as a line of text.

use crate::event::Release;

/// Number, name, program, time of installation, and remarks.
pub(super) fn text(release: &Release) -> String {
    let Release { number, id, version, .. } = release;
    let at = release.installed_at.map_or_else(|| "unknown date".to_owned(), date);
    let mut remarks = Vec::new();
    if release.current {
        remarks.push("installed".to_owned());
    }
    if let Some(to) = &release.left {
        let when = release.left_at.map(|at| format!(" on {}", date(at))).unwrap_or_default();
        remarks.push(format!("left for {to}{when}"));
    }
    let damage = release.damage.join(", ");
    remarks.push(if release.complete { "complete".to_owned() } else { damage });
    format!("{number:>4}  {id:<24} spaceduck {version}  {at}  {}", remarks.join("; "))
}

/// Day and minute in UTC: the account's people may sit anywhere.
fn date(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok();
    let at = at.and_then(|at| time::OffsetDateTime::from_unix_timestamp(at).ok());
    at.map_or_else(
        || "unknown date".to_owned(),
        |at| format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_a_line() {
        let event = |current, left: Option<&str>, damage: &[&str]| Release {
            number: 3,
            id: "0.1.0-1a2b3c4d".into(),
            version: "0.1.0".into(),
            installed_at: Some(1_796_000_000),
            current,
            left: left.map(str::to_owned),
            left_at: left.map(|_| 1_796_003_600),
            complete: damage.is_empty(),
            damage: damage.iter().map(|text| (*text).to_owned()).collect(),
        };
        let start = "   3  0.1.0-1a2b3c4d           spaceduck 0.1.0  2026-11-30 00:53 UTC  ";
        assert_eq!(text(&event(true, None, &[])), format!("{start}installed; complete"));
        let left = "left for 0.1.0-99887766 on 2026-11-30 01:53 UTC; `b/packs/1` is missing";
        let event = event(false, Some("0.1.0-99887766"), &["`b/packs/1` is missing"]);
        assert_eq!(text(&event), format!("{start}{left}"));
    }
}
