//! Logs by pages, and a log that is not there yet.

use serde_json::json;

use super::{LogGroups, Tagged};
use crate::aws::replay::script;
use crate::model::{Place, TAG};
use crate::ports::{Inventory as _, Logs as _};

#[tokio::test]
async fn a_log_is_read_to_its_last_page_in_the_order_of_time() {
    let page = json!({"events": [{"timestamp": 7, "message": "later\n", "eventId": "2"}],
                      "nextToken": "more"});
    let last = json!({"events": [{"timestamp": 5, "message": "sooner", "eventId": "1"}]});
    let (config, script) = script(&[(200, page.to_string()), (200, last.to_string())]);
    let lines = LogGroups::new(&config).lines("/aws/lambda/beak", 3, Some("a \"b\"")).await;
    let lines: Vec<_> = lines.unwrap().into_iter().map(|l| (l.at, l.text, l.id)).collect();
    let line = |at, text: &str, id: &str| (at, text.to_owned(), id.to_owned());
    assert_eq!(lines, [line(5, "sooner", "1"), line(7, "later", "2")]);
    let asked = script.judged();
    assert_eq!(asked[0].operation, "FilterLogEvents");
    assert_eq!(asked[0].params["startTime"], 3);
    assert_eq!(asked[0].params["filterPattern"], "\"a  b \"", "a word, never a pattern");
    assert_eq!(asked[1].params["nextToken"], "more");
}

#[tokio::test]
async fn lines_without_an_id_stay_apart() {
    let events =
        json!({"events": [{"timestamp": 5, "message": "a"}, {"timestamp": 5, "message": "b"}]});
    let (config, _) = script(&[(200, events.to_string())]);
    let lines = LogGroups::new(&config).lines("beak", 0, None).await.unwrap();
    assert_ne!(lines[0].id, lines[1].id);
}

#[tokio::test]
async fn a_log_that_nobody_wrote_yet_is_empty() {
    let answer = json!({"__type": "ResourceNotFoundException", "message": "no"}).to_string();
    let (config, script) = script(&[(400, answer)]);
    assert_eq!(LogGroups::new(&config).lines("beak", 0, None).await.unwrap().len(), 0);
    assert_eq!(script.operations(), ["FilterLogEvents"]);
}

#[tokio::test]
async fn what_is_tagged_is_listed_to_its_last_page() {
    let one = |arn: &str, galaxy: &str| json!({"ResourceARN": arn, "Tags": [{"Key": TAG, "Value": galaxy}, {"Key": "a", "Value": "b"}]});
    let page = json!({"ResourceTagMappingList": [one("arn:1", "pond")], "PaginationToken": "more"});
    let last = json!({"ResourceTagMappingList": [one("arn:2", "lake")], "PaginationToken": ""});
    let answers = [(200, page.to_string()), (200, last.to_string())];
    let (config, script) = script(&answers);
    let found = Tagged::new(&config, &config).galaxies(Place::Edge).await.unwrap();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["lake", "pond"]);
    let asked = script.judged();
    assert_eq!(asked[0].params["ResourceTypeFilters"], json!(["cloudformation:stack"]));
    assert_eq!(asked[1].params["PaginationToken"], "more");
    let (config, script) = self::script(&answers);
    let found = Tagged::new(&config, &config).tagged(Place::Home, "pond").await.unwrap();
    assert_eq!(found, ["arn:1", "arn:2"]);
    assert_eq!(script.judged()[0].params["TagFilters"], json!([{"Key": TAG, "Values": ["pond"]}]));
}
