//! Every mistake that a skill can have, with its place.

use std::fmt::Write as _;

use super::*;

const GOOD: &str = "\
---
name: wave
description: Waves at other ducks. Use to be polite.
metadata:
  version: \"1.0.0\"
  galaxy-skill: \"1\"
  galaxy-capabilities: wave.send wave.read
  galaxy-tier: T0
  galaxy-permissions: none
---

Wave, as [the guide](references/guide.md) says.
";

fn tree(main: &str) -> Tree {
    let mut tree = Tree::default();
    tree.add(MAIN_FILE, main.as_bytes().to_vec()).expect("a file");
    tree.add("references/guide.md", b"Wave with both wings.".to_vec()).expect("a file");
    tree
}

/// `line:column: message` of each mistake.
fn told(main: &str) -> Vec<String> {
    let mistakes = check("wave", &tree(main)).expect_err("mistakes");
    let one = |mistake: Mistake| match mistake.at {
        Some(at) => format!("{}:{}: {}", at.line, at.column, mistake.message),
        None => mistake.message,
    };
    mistakes.into_iter().map(one).collect()
}

fn with(old: &str, new: &str) -> Vec<String> {
    assert!(GOOD.contains(old), "{old}");
    told(&GOOD.replacen(old, new, 1))
}

#[test]
fn a_good_skill_is_read_whole() {
    let skill = check("wave", &tree(GOOD)).expect("a skill");
    assert_eq!((skill.name.as_str(), skill.version.as_str()), ("wave", "1.0.0"));
    assert_eq!(skill.capabilities, ["wave.send", "wave.read"]);
    assert_eq!((skill.tier, skill.publisher), (Tier::T0, None));
    let windows = GOOD.replace('\n', "\r\n");
    assert_eq!(check("wave", &tree(&windows)).expect("a skill").name, "wave");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = "\
---
nmae: wave
description: \"\"
license: 7
version: 1.0.0
metadata:
  version: 1.0
  galaxy-skill: \"2\"
  galaxy-capabilities: wave.send Wave
  galaxy-tier: T9
  galaxy-permission: none
  author: [me]
---
";
    let expected = [
        "SKILL.md has no instructions",
        "1:1: `name` is missing",
        "1:1: `galaxy-permissions` is missing in `metadata`",
        "2:1: there is no field `nmae`",
        "3:14: `description` is empty",
        "4:10: `license` is not text: it has no quotes",
        "5:1: there is no field `version`",
        "7:12: `version` is not text: it has no quotes",
        "8:18: `2` is no value for `galaxy-skill`",
        "9:34: `Wave` can't stand in `galaxy-capabilities`",
        "10:16: `T9` is no value for `galaxy-tier`",
        "11:3: there is no field `galaxy-permission`",
        "12:3: `author` in `metadata` is not text",
    ];
    assert_eq!(told(text), expected);
}

#[test]
fn the_name_is_the_folders() {
    let mistakes = check("waves", &tree(GOOD)).expect_err("a mistake");
    assert_eq!(mistakes[0].message, "the name is `wave` and the folder's is `waves`");
}

#[test]
fn fields_are_held_to_their_forms() {
    let long = "x".repeat(1025);
    for (old, new, message) in [
        ("name: wave", "name: Wave", "2:7: `Wave` is no value for `name`"),
        ("name: wave", "name: a--b", "2:7: `a--b` is no value for `name`"),
        ("name: wave", "name: -wave", "2:7: `-wave` is no value for `name`"),
        ("name: wave", "name: ../wave", "2:7: `../wave` is no value for `name`"),
        (
            "Waves",
            "<b>Waves",
            "3:14: `<b>Waves at other ducks. Use to be polite.` is no value for `description`",
        ),
        (
            "Waves at other ducks. Use to be polite.",
            &long,
            "3:14: `description` has 1025 characters, 1024 are allowed",
        ),
        ("\"1.0.0\"", "\"1.0\"", "5:13: `1.0` is no value for `version`"),
        ("\"1.0.0\"", "\"01.0.0\"", "5:13: `01.0.0` is no value for `version`"),
        ("\"1.0.0\"", "\"1.0.0+7\"", "5:13: `1.0.0+7` is no value for `version`"),
        ("wave.read", "wave.send", "7:24: `wave.send` is in `galaxy-capabilities` twice"),
        ("wave.read", "wave", "7:34: `wave` can't stand in `galaxy-capabilities`"),
        (
            "send wave",
            "send  wave",
            "7:24: `wave.send  wave.read` is no value for `galaxy-capabilities`",
        ),
        ("none", "root", "9:23: `root` can't stand in `galaxy-permissions`"),
        (
            "none",
            "network:EXAMPLE.org",
            "9:23: `network:EXAMPLE.org` can't stand in `galaxy-permissions`",
        ),
        (
            "none",
            "none\n  galaxy-publisher: dkl_abc",
            "10:21: `dkl_abc` is no value for `galaxy-publisher`",
        ),
        ("none", "[a, b]", "9:3: `galaxy-permissions` is not text"),
        ("galaxy-tier: T0", "galaxy-tier:", "8:3: `galaxy-tier` is not text"),
        (
            "name: wave",
            "name: wave\nname: wave",
            "3:1: the front matter is not YAML that agents read: duplicate mapping key: name",
        ),
        ("name: wave", "name: [wave", "3:12: the front matter is not YAML that agents read: "),
        (
            "name: wave",
            "name: wave --- not",
            "2:12: `---` within the front matter ends it for some readers",
        ),
    ] {
        let told = with(old, new);
        let near = told.first().is_some_and(|first| first.starts_with(message));
        assert!(near, "{new}: {told:#?}");
    }
    let publisher = "none\n  galaxy-publisher: dkl_01HF7YAT00040G40R40M30E209";
    let skill = check("wave", &tree(&GOOD.replace("none", publisher))).expect("a skill");
    assert!(skill.publisher.is_some());
    let version = GOOD.replace("1.0.0", "1.0.0-rc.1");
    assert_eq!(check("wave", &tree(&version)).expect("a skill").version, "1.0.0-rc.1");
}

#[test]
fn front_matter_begins_and_ends() {
    assert_eq!(told("# Wave\n"), ["1:1: SKILL.md does not begin with front matter"]);
    assert_eq!(told(&format!("\u{feff}{GOOD}"))[0], "1:1: an invisible character, U+FEFF");
    assert_eq!(told("---\nname: wave\n"), ["1:1: the front matter does not end"]);
    assert_eq!(told("---\n---\nWave.\n"), ["1:1: the front matter has no fields"]);
    assert_eq!(told(""), ["the front matter does not end"].map(|m| format!("1:1: {m}")));
    let mut tree = Tree::default();
    tree.add("skill.md", GOOD.into()).expect("a file");
    assert_eq!(check("wave", &tree).expect_err("a mistake")[0].message, "there is no SKILL.md");
}

#[test]
fn links_lead_to_files_of_the_skill() {
    for (link, message) in [
        ("../other.md", "12:10: `../other.md` leads out of the skill's folder"),
        ("/etc/passwd", "12:10: `/etc/passwd` leads out of the skill's folder"),
        ("references/../../x", "12:10: `references/../../x` leads out of the skill's folder"),
        ("references/none.md#part", "12:10: there is no file `references/none.md`"),
    ] {
        assert_eq!(with("references/guide.md", link), [message]);
    }
    for link in ["https://example.org/../x", "#wave", "references/", "references/guide.md#part"] {
        let text = GOOD.replace("references/guide.md", link);
        assert!(check("wave", &tree(&text)).is_ok(), "{link}");
    }
}

#[test]
fn secrets_are_found_in_every_file_and_not_shown() {
    let key = beak_core::key::BeakKey::new([7; 32]);
    let secret = key.reveal();
    for bytes in [format!("key = {secret}\n").into_bytes(), [b"\xff ", secret.as_bytes()].concat()]
    {
        let mut tree = tree(GOOD);
        tree.add("config.ini", bytes).expect("a file");
        let mistakes = check("wave", &tree).expect_err("a mistake");
        assert_eq!(mistakes.len(), 1);
        assert_eq!(mistakes[0].message, "this looks like a Beak Key");
        assert!(!format!("{mistakes:?}").contains(&secret[6..16]), "{mistakes:?}");
    }
    assert_eq!(
        with("Wave,", "-----BEGIN PRIVATE KEY-----\nWave,"),
        ["12:1: this is a private key"]
    );
    // The seed's own example is no secret.
    assert!(check("wave", &tree(&GOOD.replace("Wave,", "sd_bk_your_key_here"))).is_ok());
}

#[test]
fn nothing_is_hidden_from_people() {
    for mark in ['\u{202e}', '\u{200b}', '\u{e0041}', '\u{1b}', '\u{2066}'] {
        let told = with("Wave,", &format!("Wave{mark}{mark},"));
        assert_eq!(told, [format!("12:5: an invisible character, U+{:04X}", u32::from(mark))]);
    }
    let painted = GOOD.replace("wave.read", "a\u{1b}[31mb");
    let mistakes = check("wave", &tree(&painted)).expect_err("mistakes");
    for mistake in mistakes {
        let place = mistake.at.expect("a place");
        assert!(!(mistake.message + &place.text).contains('\u{1b}'), "{}", place.text);
    }
    // Families of emoji are joined by a mark of this kind.
    assert!(check("wave", &tree(&GOOD.replace("Wave,", "👩\u{200d}🚀"))).is_ok());
}

#[test]
fn the_main_file_is_short() {
    let told = with("Wave,", &"Wave.\n".repeat(500));
    assert_eq!(told, ["SKILL.md has 512 lines, 500 are allowed"]);
}

#[test]
fn front_matter_that_would_burst_is_refused() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let mut laughs = "wave\na0: &a0 ha".to_owned();
    for level in 1..20 {
        let one = format!("*a{}, ", level - 1).repeat(9);
        write!(laughs, "\na{level}: &a{level} [{one}]").expect("a String");
    }
    let short = "[".repeat(8000) + &"]".repeat(8000);
    let maps = "{a: ".repeat(3000) + &"}".repeat(3000);
    let anchor = "&a [*a]".into();
    for name in [deep("[", "]"), deep("{a: ", "}"), short, maps, laughs, anchor] {
        let told = with("name: wave", &format!("name: {name}"));
        assert!(told[0].contains("front matter"), "{told:?}");
    }
    assert!(told(&format!("---\n{}\n---\nWave.\n", "- ".repeat(5000)))[0].contains("front matter"));
}

#[test]
fn instructions_of_any_kind_are_read_to_their_end() {
    for text in ["[", "![", "*", "`", "> ", "- ", "<", "[a](", "&", "[^", "|", "\\\\", "[a]: b\n"] {
        let wild = text.repeat(200_000 / text.len());
        let long = GOOD.replace("Wave, as", &wild);
        // There may be mistakes in it; what counts is that there is an end.
        let _ = check("wave", &tree(&long));
    }
}
