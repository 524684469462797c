//! What the reference on the sites needs to know of the installer: `pages/facts/installer.json` is
//! made here, of the program's own tables, and with `UPDATE_DOCS=1` written.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use spaceduck::catalog::{self, Code, Facts};
use spaceduck::cli;
use spaceduck::config::Config;
use spaceduck::cost;
use spaceduck::doctor;
use spaceduck::drift;
use spaceduck::failure::Kind;
use spaceduck::init::{self, Shape};
use spaceduck::model::{AccountId, Place, Region, Stack};
use spaceduck::pace::{self, Verb};
use spaceduck::plan;
use spaceduck::ports::{Change, ChangeAction};
use spaceduck::render::{self, Rendered};
use spaceduck::yaml::Node;

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn the_facts_of_the_reference_are_fresh() {
    let facts = json!({
        "commands": commands(),
        "shared": arguments(&cli::command(), true),
        "exit_codes": exit_codes(),
        "config": settings(),
        "stacks": stacks(),
        "drift": drift::KINDS.iter().map(|kind| json!({
            "id": kind.id, "item": kind.item, "state": kind.state.word(), "mends": kind.mends,
        })).collect::<Vec<_>>(),
        "doctor": checks(),
        "mail": galaxy_mail::items::ITEMS,
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/facts/installer.json");
    // As values: the order of keys depends on which crates are built together.
    let there = || -> Option<Value> { serde_json::from_slice(&std::fs::read(&path).ok()?).ok() };
    if std::env::var_os("UPDATE_DOCS").is_some() && there().as_ref() != Some(&facts) {
        std::fs::write(&path, serde_json::to_string_pretty(&facts).unwrap() + "\n").unwrap();
    }
    assert!(
        there().as_ref() == Some(&facts),
        "{} is out of date: cargo xtask docs",
        path.display()
    );
}

/// Every command that does something, with its flags.
fn commands() -> Vec<Value> {
    let mut root = cli::command();
    root.build();
    let mut found = Vec::new();
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        let inner: Vec<_> = command.get_subcommands().filter(|c| c.get_name() != "help").collect();
        if inner.is_empty() || !command.is_subcommand_required_set() {
            found.push(one_command(command, command.get_name()));
        }
        for inside in inner {
            let name = format!("{} {}", command.get_name(), inside.get_name());
            found.push(one_command(inside, &name));
        }
    }
    found
}

fn one_command(command: &clap::Command, name: &str) -> Value {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace("\n       ", "\n");
    json!({
        "name": name,
        "about": command.get_about().map(ToString::to_string).unwrap_or_default(),
        "aliases": command.get_visible_aliases().collect::<Vec<_>>(),
        "usage": usage,
        "arguments": arguments(command, false),
    })
}

/// The flags and arguments of a command; those of all commands or its own.
fn arguments(command: &clap::Command, shared: bool) -> Vec<Value> {
    let own = command.get_arguments().filter(|argument| {
        let id = argument.get_id().as_str();
        argument.is_global_set() == shared && !["help", "version"].contains(&id)
    });
    let one = |argument: &clap::Arg| {
        let long = argument.get_long().map(|long| format!("--{long}"));
        let takes = argument.get_action().takes_values();
        let value = argument.get_value_names().filter(|_| takes).map(|names| names.join(" "));
        let shown = match (long, value) {
            (Some(long), Some(value)) => format!("{long} {value}"),
            (Some(long), None) => long,
            (None, value) => value.unwrap_or_default(),
        };
        let defaults = argument.get_default_values().iter().map(|v| v.to_string_lossy());
        let words = argument.get_possible_values();
        json!({
            "shown": shown,
            "short": argument.get_short().map(|short| format!("-{short}")),
            "help": argument.get_help().map(ToString::to_string).unwrap_or_default(),
            "default": if takes { defaults.collect::<Vec<_>>().join(" ") } else { String::new() },
            "env": argument.get_env().map(|name| name.to_string_lossy()),
            "words": words.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>(),
            "required": argument.is_required_set(),
        })
    };
    own.map(one).collect()
}

fn exit_codes() -> Vec<Value> {
    let kinds = [
        Kind::Input,
        Kind::Usage,
        Kind::Refused,
        Kind::Settled,
        Kind::Access,
        Kind::Waiting,
        Kind::Bug,
        Kind::Interrupted,
    ];
    let mut codes: Vec<(u8, &str)> =
        kinds.iter().map(|kind| (kind.exit_code(), kind.word())).collect();
    codes.extend([(0, "done"), (6, "drifted"), (7, "told")]);
    codes.sort_unstable();
    // The help of the program names the same.
    let help = cli::command().get_after_help().expect("a list of exit codes").to_string();
    let (_, listed) = help.split_once("Exit codes:").expect("a list of exit codes");
    let mut listed: Vec<u8> = listed.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    listed.sort_unstable();
    assert_eq!(listed, codes.iter().map(|(code, _)| *code).collect::<Vec<_>>(), "{help}");
    codes.iter().map(|(code, word)| json!({"code": code, "word": word})).collect()
}

/// The settings of `galaxy.yaml`, each with what it may be.
fn settings() -> Vec<Value> {
    let one = |setting: &init::Setting| {
        let form = match setting.shape {
            Shape::Text(_) => "text".to_owned(),
            Shape::Word(words) => format!("`{}`", words.join("` or `")),
            Shape::Number(least, most) => format!("a whole number from {least} to {most}"),
            Shape::OneOf(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                format!("one of {}", numbers.join(", "))
            }
            Shape::Bool => "`true` or `false`".to_owned(),
            Shape::SecretFile => "`{file: PATH}`, a file that only you can read".to_owned(),
        };
        json!({
            "key": setting.key,
            "words": setting.words.replace('\n', " "),
            "form": form,
            "default": setting.default,
            "example": setting.example,
            "pairs_with": setting.pairs_with,
        })
    };
    init::SETTINGS.iter().map(one).collect()
}

/// What `doctor` looks at.
fn checks() -> Vec<Value> {
    let one = |check: &doctor::Check| {
        json!({
            "id": check.id, "title": check.title, "should": check.should, "cure": check.cure,
        })
    };
    doctor::CHECKS.iter().map(one).collect()
}

fn facts() -> Facts {
    Facts {
        config: Config::default(),
        account: Some(AccountId::parse("111122223333").unwrap()),
        region: Some(Region::parse("eu-central-1").unwrap()),
        code: Some(Code { sha256: "0".repeat(64), architecture: "arm64" }),
        release: "1.1.0".into(),
    }
}

/// One entry for each template; the five sites are made of one.
fn stacks() -> Vec<Value> {
    let first_site = Stack::all().into_iter().find(|stack| matches!(stack, Stack::Site(_)));
    let one_of_each = Stack::all()
        .into_iter()
        .filter(|stack| !matches!(stack, Stack::Site(_)) || Some(*stack) == first_site);
    one_of_each.map(stack_facts).collect()
}

fn stack_facts(stack: Stack) -> Value {
    let source = catalog::template(stack);
    let raw = Node::parse(source).unwrap();
    let rendered = render::render(source, &catalog::fill(stack, &facts())).unwrap();
    let is_site = matches!(stack, Stack::Site(_));
    let region = if stack.place() == Place::Home { "home" } else { "us-east-1" };
    json!({
        "name": if is_site { "site".to_owned() } else { stack.key() },
        "region": region,
        "keeps_data": catalog::keeps_data(stack),
        "seconds": pace::stack(&rendered.resources, Verb::Create).as_secs(),
        "waits_for": catalog::inputs(stack).iter().map(|i| i.stack.key())
            .collect::<BTreeSet<_>>(),
        "costs": costs(stack, &rendered),
        "resources": raw.get("Resources").unwrap().entries().iter()
            .map(|(id, node)| resource(stack, id, node, &rendered)).collect::<Vec<_>>(),
    })
}

fn costs(stack: Stack, rendered: &Rendered) -> Vec<Value> {
    let costs = cost::monthly(&BTreeMap::from([(stack, rendered.clone())]));
    let one = |cost: &spaceduck::event::Cost| {
        json!({
            "what": cost.what,
            "idle_cents": cost.idle_cents,
            "small_cents": cost.small_cents,
        })
    };
    costs.iter().map(one).collect()
}

/// What the resources of a kind cost together, where they cost anything.
fn cost_of(stack: Stack, kind: &str, rendered: &Rendered) -> Option<Value> {
    let mut alone = rendered.clone();
    alone.resources.retain(|resource| resource.kind == kind);
    costs(stack, &alone).pop()
}

fn resource(stack: Stack, id: &str, node: &Node, rendered: &Rendered) -> Value {
    let word = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
    let kind = word("Type");
    let change =
        |action| Change { resource: id.to_owned(), kind: kind.clone(), action, why: Vec::new() };
    let protected = plan::refuses(stack, &change(ChangeAction::Remove), &BTreeSet::new());
    json!({
        "id": id,
        "type": kind,
        "seconds": pace::resource(&kind, Verb::Create).as_secs(),
        "protected": protected,
        "deletion": word("DeletionPolicy"),
        "condition": word("Condition"),
        "cost": cost_of(stack, &kind, rendered),
    })
}
