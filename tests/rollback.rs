//! Rollbacks in an account in memory: where they lead, and what they put back.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use spaceduck::back;
use spaceduck::drift;
use spaceduck::execute::{self, Pages};
use spaceduck::failure::Kind;
use spaceduck::model::Place;
use spaceduck::observe::{self, observe};
use spaceduck::plan::Goal;
use spaceduck::ports::Object;
use spaceduck::rehearse::{Account, Meddling};
use spaceduck::release::Record;
use spaceduck::render::hex;

mod galaxy;

use galaxy::*;

/// Number and code of each release on record, the latest first.
async fn numbers(account: &Arc<Account>) -> Vec<(u64, String)> {
    let (looking, _) = job(account, Goal::Present, "c").await.unwrap();
    let found = observe::releases(&looking).await.unwrap();
    let code = |sha256: &str| {
        let is_it = |code: &&str| hex(&Sha256::digest(code.as_bytes())) == sha256;
        ["a", "b", "c", "d"].into_iter().find(is_it).unwrap().to_owned()
    };
    found.into_iter().map(|one| (one.number, code(&one.code))).collect()
}

#[tokio::test]
async fn rollbacks_lead_away_from_what_was_left_and_numbers_stay() {
    let account = account();
    install(&account).await.unwrap();
    for code in ["b", "c"] {
        reach(&account, Goal::Present, code).await.unwrap();
    }
    let pair = |number, code: &str| (number, code.to_owned());
    let all = [pair(3, "c"), pair(2, "b"), pair(1, "a")];
    assert_eq!(numbers(&account).await, all);
    let current = async || {
        let (_, observed) = job(&account, Goal::Present, "c").await.unwrap();
        observed.current.unwrap()
    };
    go_back_to(&account, None).await.unwrap();
    assert_eq!(current().await.number, 2);
    let history = current().await.history.unwrap();
    let left = history.left.last().unwrap();
    assert_eq!((left.number, &left.to, left.at.is_some()), (3, &current().await.id, true));
    go_back_to(&account, None).await.unwrap();
    assert_eq!(current().await.number, 1, "not 3, which was left");
    assert!(go_back_to(&account, None).await.is_err());
    assert_eq!(numbers(&account).await, all, "a rollback gives no new numbers");
    // A new program gets a fresh number, one that is known keeps its own.
    reach(&account, Goal::Present, "d").await.unwrap();
    assert_eq!(current().await.number, 4);
    reach(&account, Goal::Present, "b").await.unwrap();
    assert_eq!(current().await.number, 2);
    go_back_to(&account, None).await.unwrap();
    assert_eq!(current().await.number, 4, "the release before, whatever its number");
    go_back_to(&account, None).await.unwrap();
    assert_eq!(current().await.number, 1);
}

/// A pointer and records as an earlier version of this program wrote them.
#[tokio::test]
async fn records_of_an_earlier_version_lead_away_too() {
    let account = account();
    install(&account).await.unwrap();
    for code in ["b", "c"] {
        reach(&account, Goal::Present, code).await.unwrap();
    }
    go_back_to(&account, None).await.unwrap();
    let assets = account.world().assets;
    let keys = assets.keys(Place::Home, ARTIFACTS).await.unwrap();
    for key in keys.iter().filter(|key| key.starts_with("releases/")) {
        let bytes = assets.read(Place::Home, ARTIFACTS, key).await.unwrap().unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let record = json.as_object_mut().unwrap();
        for field in ["history", "lock", "installed_at"] {
            record.remove(field);
        }
        if record.get("number").is_some_and(|number| *number == 2) {
            record.insert("number".into(), 4.into());
        }
        meddle_with(&account, key, &json.to_string());
    }
    go_back_to(&account, None).await.unwrap();
    let (_, observed) = job(&account, Goal::Present, "c").await.unwrap();
    assert_eq!(observed.current.unwrap().number, 1, "4 was 2 once, and 3 was left");
    reach(&account, Goal::Present, "d").await.unwrap();
    assert_eq!(numbers(&account).await[0], (5, "d".into()));
}

const ARTIFACTS: &str = "spaceduck-artifacts-111122223333-eu-central-1-an";

/// Changes the text of an object in the artifact bucket.
fn meddle_with(account: &Account, key: &str, text: &str) {
    let object = Object {
        key: key.to_owned(),
        bytes: text.as_bytes().to_vec().into(),
        content_type: "application/json".into(),
        cache_control: "no-store".into(),
    };
    account.meddle(Meddling::Object(ARTIFACTS.into(), key.to_owned(), Some(object)));
}

/// Every object of a release, damaged at equal length or lost, is named before a page changes.
#[tokio::test]
async fn what_is_put_back_is_what_was() {
    let account = account();
    install(&account).await.unwrap();
    reach(&account, Goal::Present, "b").await.unwrap();
    let (looking, observed) = job(&account, Goal::Present, "c").await.unwrap();
    let on_record = observe::releases(&looking).await.unwrap();
    let target = back::choose(&on_record, &observed.current.unwrap(), None).unwrap();
    let files = target.sites.values().flat_map(|site| site.files.values());
    let mut keys: Vec<String> = files.map(|file| target.keeper(&file.sha256)).collect();
    keys.extend([target.code_key(), format!("blobs/{}", target.template)]);
    keys.sort();
    keys.dedup();
    assert!(keys.len() >= 3, "{keys:?}");
    let assets = account.world().assets;
    let before = account.log().len();
    for key in keys {
        let whole = assets.read(Place::Home, ARTIFACTS, &key).await.unwrap().unwrap();
        meddle_with(&account, &key, &"X".repeat(whole.len()));
        let failure = go_back_to(&account, None).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Refused);
        let text = failure.to_text();
        let named = format!("`{ARTIFACTS}/{key}` has another content than was stored");
        assert!(text.contains(&named), "{text}");
        account.meddle(Meddling::Object(ARTIFACTS.into(), key.clone(), None));
        let text = go_back_to(&account, None).await.unwrap_err().to_text();
        assert!(text.contains(&format!("`{ARTIFACTS}/{key}` is missing")), "{text}");
        let object = Object {
            key: key.clone(),
            bytes: whole.into(),
            content_type: "application/octet-stream".into(),
            cache_control: "no-store".into(),
        };
        account.meddle(Meddling::Object(ARTIFACTS.into(), key, Some(object)));
    }
    assert_eq!(account.log().len(), before, "nothing was changed");
    go_back_to(&account, None).await.unwrap();
}

/// A damaged pack is not published by a repair either.
#[tokio::test]
async fn a_repair_publishes_no_damaged_page() {
    let account = account();
    install(&account).await.unwrap();
    let bucket = "spaceduck-duckgalaxy-111122223333-us-east-1-an";
    account.meddle(Meddling::Object(bucket.into(), "index.html".into(), None));
    let (looking, observed) = job(&account, Goal::Present, "c").await.unwrap();
    let current = observed.current.unwrap();
    let job = back::toward(&looking, current.clone()).await.unwrap();
    let observed = observe(&job).await.unwrap();
    let found = drift::inspect(&job, &observed.stacks, &Record::whole(current)).await.unwrap();
    let Pages::Record(manifest) = &job.pages else { panic!("no record") };
    let page = &manifest.sites["duckgalaxy"].files["index.html"].sha256;
    let pack = manifest.keeper(page);
    let whole = account.world().assets.read(Place::Home, ARTIFACTS, &pack).await.unwrap().unwrap();
    meddle_with(&account, &pack, &"X".repeat(whole.len()));
    let broken = execute::run(&drift::repair(&found, &[]), &job).await.unwrap_err();
    let text = broken.failure.to_text();
    assert!(text.contains(&format!("`{ARTIFACTS}/{pack}` has another content")), "{text}");
    let there = account.world().assets.read(Place::Edge, bucket, "index.html").await.unwrap();
    assert_eq!(there, None);
}
