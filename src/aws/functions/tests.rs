//! Pointing the alias: only from the revision that was seen.

use serde_json::json;

use super::*;
use crate::aws::replay::script;

fn alias(version: &str, revision: &str) -> (u16, String) {
    (200, json!({"Name": "live", "FunctionVersion": version, "RevisionId": revision}).to_string())
}

fn moved() -> (u16, String) {
    let text = json!({"__type": "PreconditionFailedException", "Message": "the revision differs"});
    (412, text.to_string())
}

#[tokio::test]
async fn the_alias_is_pointed_from_the_revision_that_was_seen() {
    let (config, script) = script(&[alias("2", "r7"), alias("1", "r8")]);
    assert!(Lambda::new(&config).point("duck-beak", "1").await.unwrap());
    let asked = script.judged();
    assert_eq!(asked[1].operation, "UpdateAlias");
    assert_eq!(asked[1].params["RevisionId"], "r7");
    assert_eq!(asked[1].params["FunctionVersion"], "1");
}

#[tokio::test]
async fn a_late_call_does_not_undo_what_another_run_has_done() {
    let (config, script) = script(&[alias("2", "r7"), moved(), alias("3", "r8")]);
    let failure = Lambda::new(&config).point("duck-beak", "1").await.unwrap_err();
    assert!(failure.to_text().contains("changed by someone else"), "{}", failure.to_text());
    assert_eq!(script.operations(), ["GetAlias", "UpdateAlias", "GetAlias"]);
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_counts() {
    let (config, script) = script(&[alias("2", "r7"), moved(), alias("1", "r8")]);
    assert!(Lambda::new(&config).point("duck-beak", "1").await.unwrap());
    assert_eq!(script.count(), 3);
    let (config, script) = self::script(&[alias("1", "r8")]);
    assert!(Lambda::new(&config).point("duck-beak", "1").await.unwrap(), "nothing to change");
    assert_eq!(script.count(), 1);
}
