//! The walk of mail by the real program, in rehearsal, without anybody at a terminal; and the
//! application in the account in memory.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use galaxy_mail::facts::Review;
use galaxy_mail::request::Letter;
use galaxy_mail::review::Stage;
use serde_json::Value;
use spaceduck::ports::Applied;

const CONFIG: &str =
    "region: eu-central-1\nmail:\n  domain: example.org\n  website: https://example.org\n";

fn spaceduck(folder: &Path, words: &[&str]) -> Output {
    std::fs::write(folder.join("galaxy.yaml"), CONFIG).unwrap();
    Command::new(env!("CARGO_BIN_EXE_spaceduck"))
        .current_dir(folder)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_walk_speaks_json_and_its_exit_code_tells_whether_all_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let walk = |state: &str| {
        let words = ["mail", "--rehearse", "--json", "--play", state];
        let output = spaceduck(folder.path(), &words);
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code().unwrap(), lines)
    };
    let (code, lines) = walk("denied");
    assert_eq!(code, 7);
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!((of("mail_stage"), of("mail_item")), (1, 20));
    assert_eq!(lines.last().unwrap()["type"], "finished");
    let letter = lines.iter().find(|line| line["item"] == "letter").unwrap();
    assert_eq!((&letter["state"], &letter["checked"]), (&"wrong".into(), &false.into()));
    assert_eq!(walk("granted").0, 0);
}

#[test]
fn nothing_stands_for_consent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text"), "We send codes.").unwrap();
    let words = ["mail", "apply", "--text", "text", "--yes", "--rehearse", "--play", "never-asked"];
    let output = spaceduck(folder.path(), &words);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("help: consent can't be given beforehand"), "{said}");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("We send codes.") && shown.contains("https://example.org/"), "{shown}");
}

#[tokio::test]
async fn an_application_is_read_for_a_while_and_taken_once() {
    let account = galaxy::account();
    let world = account.world();
    let letter = Letter {
        website: "https://example.org/".into(),
        text: "We send codes.".into(),
        contacts: vec![],
    };
    assert_eq!(Stage::of(&world.mail.account().await.unwrap()), Stage::NeverAsked);
    assert_eq!(world.mail.apply(&letter).await.unwrap(), Applied::Sent);
    assert_eq!(world.mail.apply(&letter).await.unwrap(), Applied::UnderReview);
    assert_eq!(account.letters(), [letter]);
    assert_eq!(world.mail.account().await.unwrap().review, Some(Review::Pending));
    while Stage::of(&world.mail.account().await.unwrap()) == Stage::Pending {
        world.clock.sleep(std::time::Duration::from_mins(1)).await;
    }
    assert_eq!(Stage::of(&world.mail.account().await.unwrap()), Stage::Granted);
}
