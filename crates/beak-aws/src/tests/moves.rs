//! What DynamoDB holds after each case of the contract moves into a local galaxy and back.

use std::collections::{BTreeMap, BTreeSet};

use beak_local::LocalError;
use beak_local::transfer::{self, Entry};

use super::capacity::json_of;
use super::*;

/// Entries that end with the galaxy that made them, by what their partition starts with.
const LEFT_BEHIND: [&str; 10] = [
    "account",
    "settles-since",
    "attempt",
    "journal",
    "rate",
    "turn",
    "waiting",
    "due-aside",
    "due-swept",
    "census",
];

async fn scanned(client: &Client, prefix: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for table in ["eggs", "ducklings", "pecks", "certs", "newsletter", "ledger"] {
        let scan = client.scan().table_name(format!("{prefix}-{table}")).consistent_read(true);
        let items = scan.into_paginator().items().send().try_collect().await.expect("a scan");
        for item in items {
            let fields = item.iter().map(|(name, value)| (name.clone(), json_of(value)));
            all.push((table.to_owned(), Value::Object(fields.collect())));
        }
    }
    all
}

/// The places in the queue of what can still lapse.
fn waiting(entries: &[(String, Value)]) -> BTreeSet<String> {
    let place = |(table, item): &(String, Value)| match table.as_str() {
        "eggs" => item["due"]["S"].as_str().map(str::to_owned),
        "pecks" if item["status"]["S"] == "pending" => {
            let at: i64 = item["lapses_at"]["N"].as_str()?.parse().ok()?;
            Some(format!("{at:015}#peck#{}", item["peck_id"]["S"].as_str()?))
        }
        _ => None,
    };
    entries.iter().filter_map(place).collect()
}

/// The events of an item in the operators' list, one by one: those of parties follow.
fn told(pk: &str, item: &Value) -> Vec<String> {
    if !pk.starts_with("audit#s") && !pk.starts_with("audit#w") {
        return Vec::new();
    }
    let at = &item["at_ms"]["N"];
    let Some(told) = item["told"]["L"].as_array() else {
        let names = ["kind", "duckling_id", "other_id", "peck_id", "cert_id", "tier", "note"];
        let fields = names.map(|name| item[name]["S"].as_str().map(str::to_owned));
        return vec![format!("event {at} {fields:?}")];
    };
    let names = ["kind", "of", "other", "peck", "cert", "tier", "note"];
    let one = |event: &Value| names.map(|name| event["M"][name]["S"].as_str().map(str::to_owned));
    told.iter().map(|event| format!("event {at} {:?}", one(event))).collect()
}

/// What both homes agree on: counts as one sum, and nothing that ends with a galaxy.
fn comparable(entries: Vec<(String, Value)>) -> (BTreeSet<String>, BTreeMap<String, i64>) {
    let (mut items, mut counts) = (BTreeSet::new(), BTreeMap::new());
    let waiting = waiting(&entries);
    let current: BTreeSet<String> = entries
        .iter()
        .filter(|(table, _)| table == "ducklings")
        .filter_map(|(_, item)| item["cert_id"]["S"].as_str().map(str::to_owned))
        .collect();
    for (table, mut item) in entries {
        let pk = item["pk"]["S"].as_str().unwrap_or_default().to_owned();
        let sort = pk.split('#').next().unwrap_or_default();
        if LEFT_BEHIND.contains(&sort) {
            continue;
        }
        if sort == "audit" {
            items.extend(told(&pk, &item));
            continue;
        }
        if sort == "due" {
            // In whichever partition. Entries of what was settled mean nothing.
            let place = item["sk"]["S"].as_str().expect("a place").to_owned();
            items.extend(Some(format!("due {place}")).filter(|_| waiting.contains(&place)));
            continue;
        }
        if sort == "metrics" || sort == "mail" {
            for (name, value) in item.as_object().expect("an item") {
                let number = value["N"].as_str().and_then(|n| n.parse::<i64>().ok());
                *counts.entry(name.clone()).or_default() += number.unwrap_or(0);
            }
            continue;
        }
        // DynamoDB leaves to its reader which certificate is the current one.
        let is_current = item["cert_id"]["S"].as_str().is_some_and(|id| current.contains(id));
        if table == "certs" && item["status"]["S"] == "valid" && !is_current {
            item["status"] = json!({ "S": "superseded" });
        }
        let fields = item.as_object_mut().expect("an item");
        // Nothing reads when a request for T2 was decided; DynamoDB's own time to live is a
        // backstop that an offer which ended may keep.
        fields.remove("decided_at");
        // A move leaves behind how many pecks wait: they are none of those that the limits count.
        for count in ["source_tier", "slot", "waits_in", "waits_in_new", "waits_on", "waits_out"] {
            fields.remove(count);
        }
        // Its being there is all that is read of it.
        if let Some(leaving) = fields.get_mut("leaving") {
            *leaving = json!(true);
        }
        // Accounts get new ids.
        fields.remove("account");
        fields.remove("hatched_at");
        // What a duckling's own list of events is told of its hatching moves as events.
        fields.remove("first_cert");
        if sort == "news" {
            fields.remove("expires_at");
        }
        // DynamoDB gives attributes in any order.
        let fields: BTreeMap<&String, &Value> = fields.iter().collect();
        items.insert(format!("{table} {fields:?}"));
    }
    counts.retain(|_, count| *count != 0);
    (items, counts)
}

fn through_a_folder(entries: &[(String, Value)]) -> Vec<(String, Value)> {
    let folder = tempfile::TempDir::new().expect("a folder");
    let given = entries.iter().cloned().map(|(table, item)| Ok(Entry::Item { table, item }));
    transfer::import::<LocalError>(folder.path(), given).expect("imported");
    let mut back = Vec::new();
    let take = |entry| {
        if let Entry::Item { table, item } = entry {
            back.push((table, item));
        }
        Ok::<_, LocalError>(())
    };
    transfer::export(folder.path(), take).expect("exported");
    // The folder's own key is there beside those that came.
    let is_key = |item: &Value| item["pk"]["S"] == "signing-keys";
    back.retain(|entry| !is_key(&entry.1) || entries.contains(entry));
    back
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dynamodb_holds_moves_into_a_local_galaxy_and_back() {
    let cloud = Cloud::start();
    let client = Client::new(&configuration(&cloud).await);
    let number = AtomicU32::new(0);
    let open = || async {
        let prefix = format!("case{}", number.fetch_add(1, Ordering::Relaxed));
        create_tables(&client, &prefix).await;
        let store = DynamoStore::new(client.clone(), prefix, Arc::new(SystemEntropy));
        (Arc::new(store) as Arc<dyn Store>, ())
    };
    beak_core::store_contract!(run open().await);
    let mut moved = 0;
    for case in 0..number.load(Ordering::Relaxed) {
        let held = scanned(&client, &format!("case{case}")).await;
        let back = through_a_folder(&held);
        moved += back.len();
        let ((back, counts), (held, counted)) = (comparable(back), comparable(held));
        let beyond = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).cloned().collect::<Vec<_>>()
        };
        assert_eq!(
            beyond(&back, &held),
            Vec::<String>::new(),
            "new behind the move of case {case}"
        );
        assert_eq!(beyond(&held, &back), Vec::<String>::new(), "lost on the move of case {case}");
        assert_eq!(counts, counted, "case {case}");
    }
    assert!(moved > 300, "{moved} items moved");
}
