//! What leads back from the installed release: the releases below it, and those that a rollback
//! has left. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Manifest;

/// So many releases below the current one are remembered; a rollback by name reaches the others.
const KEPT: usize = 100;

/// What leads back. It lies in the pointer, so that both are written at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The highest release number ever given.
    pub last: u64,
    /// The releases below the current one, nearest last.
    pub trail: Vec<String>,
    /// The releases that a rollback has left, latest last.
    pub left: Vec<Left>,
}

/// A release that a rollback has left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The release.
    pub id: String,
    /// Its number.
    pub number: u64,
    /// The release that the rollback put back.
    pub to: String,
    /// When, in seconds since 1970; unknown where it was worked out from older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
}

impl History {
    /// The history that records imply which were written before there was one. A rollback gave the
    /// release it put back the next number, so the release with the number before was left.
    #[must_use]
    pub fn implied(on_record: &[Manifest], current: &Manifest) -> Self {
        let is_below = |one: &&Manifest| one.number < current.number && one.id != current.id;
        let numbered: BTreeMap<u64, &Manifest> =
            on_record.iter().filter(is_below).map(|one| (one.number, one)).collect();
        let mut trail: Vec<String> = numbered.values().map(|one| one.id.clone()).collect();
        let mut left = Vec::new();
        let before = current.number.checked_sub(1).and_then(|number| numbered.get(&number));
        let below = u64::try_from(numbered.len()).unwrap_or(u64::MAX);
        let has_gap = below < current.number.saturating_sub(1);
        if let Some(before) = before.filter(|before| came_back(current, before, has_gap)) {
            trail.retain(|id| *id != before.id);
            let (id, number, to) = (before.id.clone(), before.number, current.id.clone());
            left.push(Left { id, number, to, at: None });
        }
        Self { last: current.number, trail, left }
    }

    /// After the installation of a release over the current one.
    #[must_use]
    pub fn installed(mut self, current: &str, id: &str) -> Self {
        if current == id {
            return self;
        }
        self.trail.retain(|known| known != id && known != current);
        self.trail.push(current.to_owned());
        self.left.retain(|left| left.id != id);
        let surplus = self.trail.len().saturating_sub(KEPT);
        self.trail.drain(..surplus);
        self
    }

    /// After a rollback from the current release to another one. A release below leads further
    /// down; another one lies over the current one, as after an installation.
    #[must_use]
    pub fn rolled_back(mut self, current: &Manifest, id: &str, now: u64) -> Self {
        if current.id == id {
            return self;
        }
        let Some(at) = self.trail.iter().position(|known| known == id) else {
            return self.installed(&current.id, id);
        };
        self.trail.truncate(at);
        self.left.retain(|left| left.id != id && left.id != current.id);
        self.left.push(Left {
            id: current.id.clone(),
            number: current.number,
            to: id.to_owned(),
            at: Some(now),
        });
        let surplus = self.left.len().saturating_sub(KEPT);
        self.left.drain(..surplus);
        self
    }

    /// When a release was left by a rollback, if it was.
    #[must_use]
    pub fn left(&self, id: &str) -> Option<&Left> {
        self.left.iter().rev().find(|left| left.id == id)
    }
}

/// Whether the current release was put back over the one before, as records imply it: its
/// function is an older version, or a number is missing that it once had.
fn came_back(current: &Manifest, before: &Manifest, has_gap: bool) -> bool {
    let version = |one: &Manifest| one.function_version.parse::<u64>().ok();
    match (version(current), version(before)) {
        (Some(ours), Some(theirs)) if ours != theirs => ours < theirs,
        _ => has_gap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(number: u64, id: &str, version: u64) -> Manifest {
        let json = serde_json::json!({
            "version": 4, "id": id, "number": number, "release": "1", "code": "c",
            "architecture": "arm64", "function_version": version.to_string(), "template": "t",
            "template_digest": "d", "sites": {},
        });
        Manifest::parse(json.to_string().as_bytes()).unwrap()
    }

    fn trail(history: &History) -> Vec<&str> {
        history.trail.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_rollback_leads_away_from_what_was_left() {
        let three = [release(1, "a", 1), release(2, "b", 2), release(3, "c", 3)];
        let history = History::default().installed("a", "b").installed("b", "c");
        assert_eq!(trail(&history), ["a", "b"]);
        let history = history.rolled_back(&three[2], "b", 50);
        assert_eq!(trail(&history), ["a"], "c does not come again");
        let left = Left { id: "c".into(), number: 3, to: "b".into(), at: Some(50) };
        assert_eq!(history.left("c"), Some(&left));
        let history = history.rolled_back(&three[1], "a", 60);
        assert_eq!(trail(&history), [""; 0]);
        assert_eq!(history.left.len(), 2);
        // An installation continues from there, and returns there.
        let history = history.installed("a", "d");
        assert_eq!(trail(&history), ["a"]);
        // By name back up to a release that was left: it counts again.
        let history = history.rolled_back(&release(4, "d", 4), "c", 70);
        assert_eq!((trail(&history), history.left("c")), (vec!["a", "d"], None));
        let history = history.rolled_back(&three[2], "a", 80);
        assert_eq!((trail(&history), history.left("c").is_some()), (vec![], true));
    }

    #[test]
    fn the_same_program_again_changes_nothing() {
        let history = History::default().installed("a", "b");
        assert_eq!(history.clone().installed("b", "b"), history);
        let an_older_one = history.installed("b", "a");
        assert_eq!(trail(&an_older_one), ["b"], "b was the release before");
    }

    #[test]
    fn the_trail_does_not_grow_without_limit() {
        let mut history = History::default();
        for number in 0..2 * KEPT {
            history = history.installed(&number.to_string(), &(number + 1).to_string());
        }
        assert_eq!(history.trail.len(), KEPT);
        assert_eq!(history.trail.last().unwrap(), &(2 * KEPT - 1).to_string());
    }

    #[test]
    fn older_records_imply_what_was_left() {
        let (a, b, c) = (release(1, "a", 1), release(2, "b", 2), release(3, "c", 3));
        let history = History::implied(&[c.clone(), b, a.clone()], &c);
        assert_eq!((trail(&history), history.left.len(), history.last), (vec!["a", "b"], 0, 3));
        // After c a rollback gave b the number 4.
        let b = release(4, "b", 2);
        let history = History::implied(&[b.clone(), c.clone(), a.clone()], &b);
        assert_eq!((trail(&history), history.last), (vec!["a"], 4));
        assert_eq!(history.left("c").unwrap().at, None);
        // Where only pages differ, the missing number says it.
        let (b, c) = (release(4, "b", 1), release(3, "c", 1));
        let history = History::implied(&[b.clone(), c, a], &b);
        assert_eq!(trail(&history), ["a"]);
        let only = release(1, "a", 1);
        assert_eq!(trail(&History::implied(&[], &only)), [""; 0]);
    }
}
