//! Drafts from more and less, and their chances.

use super::{CLAIMS, Draft, EDITOR_HEAD, Letter, MOST_CHARACTERS, Score};
use crate::checklist::tests::finished;
use crate::facts::{Facts, Memory, Progress};
use crate::judge;

#[test]
fn a_draft_from_everything() {
    let draft = Draft::of(&finished());
    assert!(draft.left_out.is_empty());
    assert!(draft.text.chars().count() < MOST_CHARACTERS);
    insta::assert_snapshot!(draft.text);
}

#[test]
fn a_draft_from_nothing_claims_nothing() {
    let draft = Draft::of(&Facts::default());
    assert_eq!(draft.text, "");
    assert_eq!(draft.left_out.len(), CLAIMS.len());
}

#[test]
fn a_claim_without_its_fact_is_left_out_and_named() {
    /// A change, the claim that goes with it, and words that must not be in the text then.
    type Case = (fn(&mut Facts), usize, &'static str);
    let cases: [Case; 19] = [
        (|f| f.website.as_mut().unwrap().trouble = Some("answers 404".into()), 0, "Our website is"),
        (|f| f.domain = None, 1, "We send email from"),
        (|f| f.captcha = false, 2, "captcha"),
        (|f| f.website.as_mut().unwrap().form = None, 3, "double opt-in"),
        (|f| f.release = None, 4, "RFC 8058"),
        (|f| f.memory.per_day = None, 5, "emails a day"),
        (|f| f.identity = None, 6, "DKIM"),
        (|f| f.identity.as_mut().unwrap().dkim = Progress::Pending, 6, "DKIM"),
        (|f| f.identity.as_mut().unwrap().mail_from = None, 6, "MAIL FROM"),
        (|f| f.records.clear(), 6, "DMARC"),
        (|f| f.records[0].state = judge::State::Missing, 6, "DKIM"),
        (|f| f.records.retain(|r| r.wanted.name.as_str() != "_dmarc.example.org"), 6, "DMARC"),
        (|f| f.account.as_mut().unwrap().suppresses = (true, false), 7, "suppression list"),
        (|f| f.sets[1].found = None, 7, "spaceduck-news"),
        (|f| f.sets[0].found.as_mut().unwrap().events.clear(), 7, "EventBridge"),
        (|f| f.memory.test = None, 8, "mailbox simulator"),
        (|f| f.memory.test.as_mut().unwrap().mails[1].written = None, 8, "recorded the complaint"),
        (|f| f.website.as_mut().unwrap().privacy = None, 9, "privacy policy"),
        (|f| f.website.as_mut().unwrap().contact = None, 9, "contact page"),
    ];
    let whole = Draft::of(&finished()).text;
    for (index, (change, claim, words)) in cases.into_iter().enumerate() {
        assert!(whole.contains(words), "case {index}: `{words}` is not in the whole text");
        let mut facts = finished();
        change(&mut facts);
        let draft = Draft::of(&facts);
        assert!(!draft.text.contains(words), "case {index}: {}", draft.text);
        assert!(draft.left_out.iter().any(|left| left.claim == CLAIMS[claim].about), "{index}");
    }
}

#[test]
fn alarms_are_claimed_only_where_they_are() {
    assert!(Draft::of(&finished()).text.contains("Alarms alert"));
    let without = Facts { alarms: false, ..finished() };
    assert!(!Draft::of(&without).text.contains("Alarms alert"));
}

#[test]
fn the_score_counts_every_known_reason() {
    let whole = Score::of(&finished());
    assert_eq!(whole.findings.iter().map(|one| u32::from(one.points)).sum::<u32>(), 100);
    assert_eq!((whole.points, whole.findings.iter().all(|one| one.met)), (100, true));
    assert_eq!(Score::of(&Facts::default()).points, 0);
    let other = |url: &str| {
        let mut facts = finished();
        facts.website.as_mut().unwrap().url = url.into();
        Score::of(&facts).points
    };
    assert_eq!(other("https://www.example.org/"), 100);
    assert_eq!(other("https://d111.cloudfront.net/"), 90, "another organisation");
    let large =
        Facts { memory: Memory { per_day: Some(100_000), ..finished().memory }, ..finished() };
    assert_eq!(Score::of(&large).points, 95);
}

#[test]
fn what_comes_back_from_the_editor_is_read_strictly() {
    let site = "https://example.org/";
    let letter = Letter::parse(site, &format!("{EDITOR_HEAD}Dear all,\n\nbye\n"), &[]).unwrap();
    assert_eq!(letter.text, "Dear all,\n\nbye");
    assert!(Letter::parse(site, EDITOR_HEAD, &[]).is_err(), "empty");
    let longest = "ü".repeat(MOST_CHARACTERS);
    assert!(Letter::parse(site, &longest, &[]).is_ok(), "characters count, not bytes");
    assert!(Letter::parse(site, &format!("{longest}x"), &[]).is_err());
    for wrong in ["http://example.org/", "example.org", "https://co.uk/", "https:///x"] {
        assert!(Letter::parse(wrong, "text", &[]).is_err(), "{wrong}");
    }
    for wrong in [vec!["a@b".to_owned(); 1], vec!["me@example.org".to_owned(); 5]] {
        assert!(Letter::parse(site, "text", &wrong).is_err(), "{wrong:?}");
    }
    assert!(Letter::parse(site, "text", &["me@example.org".into()]).is_ok());
}
