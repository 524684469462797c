//! What DynamoDB bills for requests, computed from the requests themselves: the emulator keeps no
//! sizes.
//!
//! Sources, all in the Amazon DynamoDB Developer Guide: "DynamoDB on-demand capacity mode" (a write
//! unit is 1 KB, a read unit 4 KB, half of it where the read is eventually consistent), "Amazon
//! DynamoDB Transactions: How it works" (twice the units), "Using Global Secondary Indexes in
//! DynamoDB" (a write for each index that projects the item), "DynamoDB item sizes and formats".

use std::collections::BTreeMap;

use super::*;

/// Read and write units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Units {
    pub(super) reads: f64,
    pub(super) writes: f64,
}

/// Units by table, or index, and partition key.
pub(super) type Bill = BTreeMap<(String, String), Units>;

/// The attribute that partitions a table, and the one that sorts it.
fn key_of(table: &str) -> (&'static str, Option<&'static str>) {
    match table {
        "eggs" | "newsletter" => ("email", None),
        "ducklings" => ("duckling_id", None),
        "pecks" => ("peck_id", None),
        "certs" => ("cert_id", None),
        _ => ("pk", Some("sk")),
    }
}

/// The indexes of a table and what partitions each.
fn indexes_of(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "pecks" => &[("by_target", "target_id"), ("by_source", "source_id")],
        "certs" => &[("by_duckling", "duckling_id")],
        _ => &[],
    }
}

/// Every item there is, by table and key.
#[derive(Clone, Debug, Default)]
pub(super) struct Held(BTreeMap<(String, String), Value>);

impl Held {
    /// Reads all tables of a galaxy.
    pub(super) async fn of(client: &Client, prefix: &str) -> Self {
        let mut held = BTreeMap::new();
        for table in TABLES {
            let scan = client.scan().table_name(format!("{prefix}-{table}")).consistent_read(true);
            let items = scan.into_paginator().items().send().try_collect().await.expect("a scan");
            for item in items {
                let fields = item.iter().map(|(name, value)| (name.clone(), json_of(value)));
                let item = Value::Object(fields.collect());
                held.insert((table.to_owned(), key(table, &item)), item);
            }
        }
        Self(held)
    }

    fn get(&self, table: &str, key: &str) -> Option<&Value> {
        self.0.get(&(table.to_owned(), key.to_owned()))
    }
}

const TABLES: [&str; 6] = ["eggs", "ducklings", "pecks", "certs", "newsletter", "ledger"];

/// A value in DynamoDB's JSON.
pub(super) fn json_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(yes) => json!({ "BOOL": yes }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(json_of).collect::<Vec<_>>() }),
        AttributeValue::M(map) => {
            let fields = map.iter().map(|(name, value)| (name.clone(), json_of(value)));
            json!({ "M": Value::Object(fields.collect()) })
        }
        other => panic!("an attribute of a kind that is not written: {other:?}"),
    }
}

/// The text of an item's key.
fn key(table: &str, item: &Value) -> String {
    let (partition, sort) = key_of(table);
    let part = |name: &str| item[name]["S"].as_str().expect("a key").to_owned();
    sort.map_or_else(|| part(partition), |sort| format!("{}\n{}", part(partition), part(sort)))
}

/// Bytes of an item: names and values.
fn size(item: &Value) -> usize {
    let fields = item.as_object().expect("an item");
    fields.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let (kind, value) = value.as_object().and_then(|one| one.iter().next()).expect("a value");
    let list = |values: &Value| values.as_array().cloned().unwrap_or_default();
    match kind.as_str() {
        "S" => value.as_str().map_or(0, str::len),
        "N" => value.as_str().map_or(0, |digits| digits.len().div_ceil(2) + 1),
        "BOOL" | "NULL" => 1,
        "SS" => list(value).iter().map(|text| text.as_str().map_or(0, str::len)).sum(),
        "L" => 3 + list(value).iter().map(|one| 1 + value_size(one)).sum::<usize>(),
        "M" => {
            let fields = value.as_object().expect("a map");
            3 + fields.iter().map(|(name, one)| 1 + name.len() + value_size(one)).sum::<usize>()
        }
        other => panic!("a value of a kind that is not written: {other}"),
    }
}

/// Whole units of a size.
fn whole(bytes: usize, unit: usize) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(unit).max(1)).expect("an item"))
}

/// The requests of a call, and what was held before it and after it.
pub(super) struct Meter<'a> {
    pub(super) before: &'a Held,
    pub(super) after: &'a Held,
    pub(super) prefix: &'a str,
}

impl Meter<'_> {
    /// What the requests are billed.
    pub(super) fn bill(&self, calls: &[test_cloud::Call]) -> Bill {
        let mut bill = Bill::new();
        for call in calls {
            let Some(operation) = call.name.strip_prefix("dynamodb ") else { continue };
            let body: Value = serde_json::from_str(&call.body).expect("JSON");
            let answer: Value = serde_json::from_str(&call.answer).unwrap_or_default();
            self.one(&mut bill, operation, &body, &answer);
        }
        bill
    }

    fn table(&self, name: &Value) -> String {
        let name = name.as_str().expect("a table");
        name.strip_prefix(self.prefix).and_then(|n| n.strip_prefix('-')).expect("ours").to_owned()
    }

    fn one(&self, bill: &mut Bill, operation: &str, body: &Value, answer: &Value) {
        match operation {
            "DescribeTable" => {}
            "PutItem" | "UpdateItem" | "DeleteItem" => self.write(bill, body, 1.0),
            "TransactWriteItems" => {
                for item in body["TransactItems"].as_array().expect("items") {
                    let (_, one) = item.as_object().and_then(|i| i.iter().next()).expect("one");
                    self.write(bill, one, 2.0);
                }
            }
            "GetItem" => {
                let table = self.table(&body["TableName"]);
                self.read(bill, &table, &body["Key"], &body["ConsistentRead"]);
            }
            "BatchGetItem" => {
                for (name, asked) in body["RequestItems"].as_object().expect("tables") {
                    let table = self.table(&Value::from(name.as_str()));
                    for key in asked["Keys"].as_array().expect("keys") {
                        self.read(bill, &table, key, &asked["ConsistentRead"]);
                    }
                }
            }
            "Query" | "Scan" => self.list(bill, body, answer),
            other => panic!("{other} has no price here"),
        }
    }

    fn sizes(&self, table: &str, key: &str) -> usize {
        let held = [self.before.get(table, key), self.after.get(table, key)];
        held.into_iter().flatten().map(size).max().unwrap_or(0)
    }

    fn write(&self, bill: &mut Bill, one: &Value, factor: f64) {
        let table = self.table(&one["TableName"]);
        let item = one.get("Item").unwrap_or(&one["Key"]);
        let key = key(&table, item);
        let largest = self.sizes(&table, &key).max(one.get("Item").map_or(0, size));
        let partition = item[key_of(&table).0]["S"].as_str().expect("a key").to_owned();
        let units = bill.entry((table.clone(), partition)).or_default();
        units.writes += factor * whole(largest, 1024);
        let (before, after) = (self.before.get(&table, &key), self.after.get(&table, &key));
        if before == after {
            return;
        }
        for (index, partition) in indexes_of(&table) {
            let held = before.or(after).expect("one of them");
            let partition = held[partition]["S"].as_str().expect("a key").to_owned();
            let units = bill.entry((format!("{table}/{index}"), partition)).or_default();
            units.writes += whole(largest, 1024);
        }
    }

    fn read(&self, bill: &mut Bill, table: &str, asked: &Value, consistent: &Value) {
        let key = key(table, asked);
        let partition = asked[key_of(table).0]["S"].as_str().expect("a key").to_owned();
        let units = bill.entry((table.to_owned(), partition)).or_default();
        units.reads += share(consistent) * whole(self.sizes(table, &key), 4096);
    }

    /// A list is billed by the size of all that it looked at, projected or not.
    fn list(&self, bill: &mut Bill, body: &Value, answer: &Value) {
        assert!(body.get("FilterExpression").is_none(), "what is filtered out is billed as well");
        let table = self.table(&body["TableName"]);
        let items = answer["Items"].as_array().cloned().unwrap_or_default();
        let full = |item: &Value| self.sizes(&table, &key(&table, item)).max(size(item));
        let bytes = items.iter().map(full).sum();
        let place = match body["IndexName"].as_str() {
            Some(index) => format!("{table}/{index}"),
            None => table,
        };
        let values = body["ExpressionAttributeValues"].as_object();
        let named = |name: &str| values.and_then(|values| values.get(name)).map(|v| &v["S"]);
        let partition = [":pk", ":id", ":party"].into_iter().find_map(named);
        let partition = partition.and_then(Value::as_str).unwrap_or("(all)").to_owned();
        let units = bill.entry((place, partition)).or_default();
        units.reads += share(&body["ConsistentRead"]) * whole(bytes, 4096);
    }
}

fn share(consistent: &Value) -> f64 {
    if consistent == &Value::Bool(true) { 1.0 } else { 0.5 }
}

#[test]
fn requests_are_billed_by_the_published_rules() {
    let long = "x".repeat(1500);
    let peck = |status: &str| {
        json!({"peck_id": {"S": "p"}, "source_id": {"S": "a"}, "target_id": {"S": "b"},
               "status": {"S": status}, "message": {"S": long}})
    };
    let held = |status: &str| {
        let guard = json!({"pk": {"S": "g"}, "sk": {"S": "guard"}});
        Held(BTreeMap::from([
            (("pecks".into(), "p".into()), peck(status)),
            (("ledger".into(), "g\nguard".into()), guard),
        ]))
    };
    let (before, after) = (held("pending"), held("denied"));
    let meter = Meter { before: &before, after: &after, prefix: "swan" };
    let sum = |operation: &str, body: Value, answer: Value| {
        let mut bill = Bill::new();
        meter.one(&mut bill, operation, &body, &answer);
        bill.values().fold((0.0, 0.0), |(r, w), one| (r + one.reads, w + one.writes))
    };
    let update = json!({"TableName": "swan-pecks", "Key": {"peck_id": {"S": "p"}}});
    // Two KB, and each of two indexes once more.
    assert_eq!(sum("UpdateItem", update.clone(), json!({})), (0.0, 6.0));
    let check = json!({"TableName": "swan-ledger",
                       "Key": {"pk": {"S": "g"}, "sk": {"S": "guard"}}});
    let both = json!({"TransactItems": [{"Update": update.clone()}, {"ConditionCheck": check}]});
    assert_eq!(sum("TransactWriteItems", both, json!({})), (0.0, 10.0));
    assert_eq!(sum("GetItem", update, json!({})), (0.5, 0.0));
    let list = json!({"TableName": "swan-pecks", "IndexName": "by_target",
                      "ExpressionAttributeValues": {":party": {"S": "b"}}});
    let four = json!({"Items": [peck("a"), peck("b"), peck("c")]});
    assert_eq!(sum("Query", list, four), (1.0, 0.0));
    assert_eq!(value_size(&json!({"N": "1234567"})), 5);
    assert_eq!(value_size(&json!({"L": [{"S": "ab"}, {"BOOL": true}]})), 8);
}
