//! The walk of mail by the real program, in rehearsal, without anybody at a terminal; and the
//! application in the account in memory.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;
mod terminal;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use galaxy_mail::facts::Review;
use galaxy_mail::name::Domain;
use galaxy_mail::request::Letter;
use galaxy_mail::review::Stage;
use serde_json::Value;
use spaceduck::model::Place;
use spaceduck::plan::Goal;
use spaceduck::ports::Applied;
use spaceduck::rehearse::{self, Account};

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

const SENDER: &str = "mail:\n  domain: example.org\n";

async fn install(account: &Arc<Account>) -> usize {
    galaxy::reach_of(account, Goal::Present, "a", SENDER).await.unwrap()
}

async fn template(account: &Arc<Account>, stack: &str) -> String {
    account.world().stacks.template(Place::Home, stack).await.unwrap()
}

/// Whether codes leave through SES.
async fn by_ses(account: &Arc<Account>) -> bool {
    let pool = template(account, "spaceduck-auth").await;
    let api = template(account, "spaceduck-api").await;
    let ses = pool.contains("EmailSendingAccount: DEVELOPER");
    assert_eq!(pool.contains("identity/example.org"), ses, "{pool}");
    assert_eq!(api.contains("duck@example.org"), ses, "codes and our own mails move together");
    ses
}

#[tokio::test]
async fn codes_move_to_ses_by_themselves_after_the_grant_and_back_when_amazon_stops_it() {
    let account = galaxy::account();
    install(&account).await;
    assert!(!by_ses(&account).await);
    account.open_post();
    account.stand(rehearse::standing("granted"));
    assert_eq!(install(&account).await, 0, "the domain is not verified yet");
    account.settle_records();
    for (state, moved) in [("pending", false), ("granted", true), ("probation", true)] {
        account.stand(rehearse::standing(state));
        let before = by_ses(&account).await;
        assert_eq!(install(&account).await > 0, before != moved, "{state}");
        assert_eq!((by_ses(&account).await, install(&account).await), (moved, 0), "{state}");
    }
    account.stand(rehearse::standing("shutdown"));
    assert!(install(&account).await > 0, "people can go on signing up");
    assert!(!by_ses(&account).await);
}

#[tokio::test]
async fn a_mail_domain_that_ses_knew_before_is_used_and_never_owned() {
    let account = galaxy::account();
    let domain = Domain::parse("example.org").unwrap();
    account.know(&domain);
    account.settle_records();
    account.stand(rehearse::standing("granted"));
    for _ in 0..2 {
        install(&account).await;
        let mail = template(&account, "spaceduck-mail").await;
        assert!(!mail.contains("AWS::SES::EmailIdentity"), "{mail}");
    }
    assert!(by_ses(&account).await);
    // One of our own is in the stack.
    let other = galaxy::account();
    install(&other).await;
    assert!(template(&other, "spaceduck-mail").await.contains("AWS::SES::EmailIdentity"));
}

/// The walk and the draft, as they stand in a terminal.
#[test]
fn the_walk_is_played_in_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("galaxy.yaml"), CONFIG).unwrap();
    let draft = ["apply", "--draft", "--per-day", "200"];
    for columns in [80, 120] {
        let walk = ["mail", "--rehearse", "--play", "never-asked"];
        let seen = terminal::play(folder.path(), columns, &walk, &[], &[]);
        assert_eq!(seen.code, 7);
        terminal::kept("mail_never_asked", columns, &seen);
        let words: Vec<&str> = walk.into_iter().chain(draft).collect();
        let seen = terminal::play(folder.path(), columns, &words, &[], &[]);
        assert_eq!(seen.code, 0);
        terminal::kept("mail_draft", columns, &seen);
    }
}

/// Somebody edits the draft in an editor of their own, reads it once more, and types consent; or
/// anything else, and nothing is sent.
#[test]
fn an_application_is_edited_and_sent_only_after_typed_consent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("galaxy.yaml"), CONFIG).unwrap();
    let editor = folder.path().join("editor.sh");
    std::fs::write(
        &editor,
        "grep '^We send from' \"$1\" >/dev/null; echo 'I add this.' >> \"$1\"\n",
    )
    .unwrap();
    let editor = format!("sh {}", editor.display());
    let environment = [("EDITOR", editor.as_str()), ("VISUAL", "")];
    let words = ["mail", "--rehearse", "--play", "never-asked", "apply"];
    let question = "Type `it is true, send it` to send it: ";
    for (typed, sent) in [("it is true, send it", true), ("yes", false), ("y", false), ("", false)]
    {
        let answers = [(question, typed)];
        let seen = terminal::play(folder.path(), 80, &words, &environment, &answers);
        assert_eq!(seen.code, 0, "{}", seen.text);
        let (shown, after) = seen.text.split_once(question).unwrap();
        assert!(shown.contains("I add this."), "shown as it is sent: {shown}");
        assert_eq!(after.contains("Amazon usually answers within 24 hours"), sent, "{after}");
    }
    let environment = [("EDITOR", "false"), ("VISUAL", "")];
    let seen = terminal::play(folder.path(), 80, &words, &environment, &[]);
    assert_eq!(seen.code, 1, "{}", seen.text);
    assert!(seen.text.contains("the editor `false` did not work"), "{}", seen.text);
}
