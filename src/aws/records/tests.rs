//! Tables on the way: batches of which `DynamoDB` takes a part, pages, tables that are locked or
//! gone. What is written and read whole is tested in the emulated AWS.

use serde_json::{Value, json};

use super::Tables;
use crate::aws::replay::{Script, script};
use crate::ports::Records as _;

fn played(answers: &[(u16, Value)]) -> (Tables, Script) {
    let answers: Vec<_> = answers.iter().map(|(code, body)| (*code, body.to_string())).collect();
    let (config, script) = script(&answers);
    (Tables::new(&config), script)
}

fn refused(kind: &str) -> (u16, Value) {
    let of = "com.amazonaws.dynamodb.v20120810";
    (400, json!({"__type": format!("{of}#{kind}"), "message": "no"}))
}

fn egg(name: &str) -> Value {
    json!({"email": {"S": name}})
}

fn put(name: &str) -> Value {
    json!({"PutRequest": {"Item": egg(name)}})
}

#[tokio::test]
async fn what_a_batch_leaves_is_offered_again() {
    let (tables, script) = played(&[
        (200, json!({"UnprocessedItems": {"eggs": [put("b")]}})),
        (200, json!({"UnprocessedItems": {}})),
    ]);
    tables.put("eggs", &[egg("a"), egg("b")]).await.unwrap();
    let asked = script.judged();
    assert_eq!(asked[0].params["RequestItems"]["eggs"], json!([put("a"), put("b")]));
    assert_eq!(asked[1].params["RequestItems"]["eggs"], json!([put("b")]));
}

#[tokio::test]
async fn a_table_is_unlocked_before_it_goes() {
    let (tables, script) = played(&[(200, json!({})), (200, json!({}))]);
    tables.remove_table("eggs").await.unwrap();
    let asked = script.judged();
    assert_eq!(asked[0].operation, "UpdateTable");
    assert_eq!(asked[0].params, json!({"TableName": "eggs", "DeletionProtectionEnabled": false}));
    assert_eq!(asked[1].operation, "DeleteTable");
}

#[tokio::test]
async fn a_table_that_has_no_lock_or_is_gone_is_no_trouble() {
    let (tables, script) = played(&[refused("ValidationException"), (200, json!({}))]);
    tables.remove_table("eggs").await.unwrap();
    assert_eq!(script.operations(), ["UpdateTable", "DeleteTable"]);
    let (tables, script) = played(&[refused("ResourceNotFoundException")]);
    tables.remove_table("eggs").await.unwrap();
    assert_eq!(script.operations(), ["UpdateTable"]);
    let (tables, script) = played(&[(200, json!({})), refused("ResourceNotFoundException")]);
    tables.remove_table("eggs").await.unwrap();
    assert_eq!(script.operations(), ["UpdateTable", "DeleteTable"]);
    let (tables, _) = played(&[(200, json!({})), refused("AccessDeniedException")]);
    let failure = tables.remove_table("eggs").await.unwrap_err();
    assert!(failure.to_text().contains("removing the table `eggs`"), "{}", failure.to_text());
}

#[tokio::test]
async fn every_page_of_a_table_is_read_as_it_is_now() {
    let (tables, script) = played(&[
        (200, json!({"Items": [egg("a")], "Count": 1, "LastEvaluatedKey": egg("a")})),
        (200, json!({"Items": [egg("b")], "Count": 1})),
    ]);
    let first = tables.items("eggs", None).await.unwrap();
    assert_eq!((first.items, first.next.clone()), (vec![egg("a")], Some(egg("a"))));
    let second = tables.items("eggs", first.next).await.unwrap();
    assert_eq!((second.items, second.next), (vec![egg("b")], None));
    let asked = script.judged();
    assert_eq!(asked[0].params["ConsistentRead"], true);
    assert_eq!(asked[1].params["ExclusiveStartKey"], egg("a"));
}

#[tokio::test]
async fn a_table_is_recoverable_only_when_both_switches_are_on() {
    for (backups, to_the_second, wanted) in [
        ("ENABLED", "ENABLED", true),
        ("ENABLED", "DISABLED", false),
        ("DISABLED", "DISABLED", false),
    ] {
        let answer = json!({"ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": backups,
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": to_the_second},
        }});
        let (tables, script) = played(&[(200, answer)]);
        assert_eq!(tables.is_recoverable("eggs").await.unwrap(), wanted, "{to_the_second}");
        assert_eq!(script.operations(), ["DescribeContinuousBackups"]);
    }
}
