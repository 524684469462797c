//! The table, the file and the schema say the same as `config`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<config::Config, Failure> {
    config::parse("galaxy.yaml", text, &Environment::default())
}

/// What `config` names as known at a place, by asking for what nobody knows.
fn known(section: &str) -> Vec<String> {
    let text = if section.is_empty() {
        "zzzzzzzz: 1\n".into()
    } else {
        format!("{section}:\n  zzzzzzzz: 1\n")
    };
    let Err(failure) = parse(&text) else { return Vec::new() };
    let help = failure.mistakes[0].help.clone().unwrap_or_default();
    let words = help.strip_prefix("known here: ").unwrap_or_default().to_owned();
    words.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_table_has_every_setting_that_config_knows() {
    let mut there = BTreeSet::new();
    for key in known("") {
        let inside = known(&key);
        if inside.is_empty() {
            there.insert(key);
        } else {
            there.extend(inside.into_iter().map(|name| format!("{key}.{name}")));
        }
    }
    let table: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.key.to_owned()).collect();
    assert_eq!(table, there, "src/init/settings.rs and src/config.rs");
}

#[test]
fn whatever_is_answered_the_file_is_read_without_a_mistake() {
    // Every three of them, and all but every three: what hangs together is no more than two.
    let count = SETTINGS.len();
    let threes = (0..count).flat_map(|a| (a..count).map(move |b| (a, b)));
    let threes = threes.flat_map(|(a, b)| (b..count).map(move |c| [a, b, c]));
    for (three, without) in threes.flat_map(|three| [(three, false), (three, true)]) {
        let picked = SETTINGS.iter().enumerate().filter(|(at, _)| three.contains(at) != without);
        let answers: BTreeMap<&str, String> =
            picked.map(|(_, setting)| (setting.key, setting.example.to_owned())).collect();
        let text = compose(&answers);
        let halves =
            answers.contains_key("turnstile.secret") && !answers.contains_key("turnstile.site_key");
        let has = |key: &str| answers.contains_key(key);
        let two_doors = has("api.shield") && has("domains.api");
        assert_eq!(whole(&answers).is_err(), halves || two_doors, "{answers:?}");
        let Ok(config) = parse(&text) else { continue };
        let read = |key: &str, fallback: &str| {
            answers.get(key).cloned().unwrap_or_else(|| fallback.to_owned())
        };
        assert_eq!(config.name.as_str(), read("name", "spaceduck"));
        assert_eq!(config.region.map(|r| r.to_string()), answers.get("region").cloned());
        assert_eq!(config.turnstile_site_key, answers.get("turnstile.site_key").cloned());
        let file = config.turnstile_secret_file.map(|file| file.display().to_string());
        assert_eq!(file, answers.get("turnstile.secret").cloned());
        assert_eq!(config.memory_mb.to_string(), read("api.memory_mb", "256"));
        assert_eq!(config.log_retention_days.to_string(), read("logs.retention_days", "30"));
        let factor = read("operators.second_factor", "optional");
        assert_eq!(config.operators_need_factor, factor == "required");
        assert_eq!(config.site_access_logs.to_string(), read("logs.site_access", "true"));
    }
}

#[test]
fn defaults_of_the_table_are_those_of_config() {
    let commented = compose(&BTreeMap::new());
    assert_eq!(parse(&commented).expect("a file"), config::Config::default());
    let answers: BTreeMap<&str, String> =
        SETTINGS.iter().filter_map(|s| Some((s.key, s.default?.to_owned()))).collect();
    assert_eq!(parse(&compose(&answers)).expect("a file"), config::Config::default());
}

#[test]
fn what_the_file_would_refuse_is_refused_at_once() {
    for (key, value) in [
        ("name", "Duck"),
        ("name", ""),
        ("name", "duck # swan"),
        ("region", "frankfurt"),
        ("turnstile.site_key", "short"),
        ("turnstile.site_key", "0x4AAAAAAA\nsecret: hush"),
        ("turnstile.secret", ""),
        ("api.memory_mb", "64"),
        ("api.memory_mb", "512 # much"),
        ("api.memory_mb", "lots"),
        ("logs.retention_days", "31"),
        ("operators.second_factor", "true"),
        ("logs.site_access", "perhaps"),
        ("logs.site_access", "[true]"),
    ] {
        assert!(check(setting(key).expect(key), value).is_err(), "{key}={value}");
    }
    for setting in SETTINGS {
        assert_eq!(check(setting, setting.example), Ok(()), "{}", setting.key);
    }
    // A key that looks like a number stays a word.
    assert_eq!(check(setting("turnstile.site_key").expect("a key"), "0123456789"), Ok(()));
}

#[test]
fn the_file_is_small_and_points_editors_at_the_schema() {
    insta::assert_snapshot!(compose(&BTreeMap::from([
        ("name", "pond".to_owned()),
        ("turnstile.site_key", "0x4AAAAAAADuckKey".to_owned()),
    ])));
    let first = compose(&BTreeMap::new());
    let first = first.lines().next().expect("a line");
    assert_eq!(first, format!("# yaml-language-server: $schema=./{SCHEMA_FILE}"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn the_published_schema_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(SCHEMA_FILE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, schema_text()).expect("written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(published, schema_text(), "run `cargo xtask docs`");
}
