//! Against the emulated AWS: the built program is killed with `kill -9` before and after calls that
//! change something, and its calls go wrong in every way that AWS and the network know. The same
//! command, run again, always ends where an undisturbed run ends. The counts stand in
//! `docs/faults.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use test_cloud::{Call, Refusal, Trouble};

mod person;

use person::{Moment, Person, Ran, differences, judge, text};

/// How many lives are lived at the same time.
const WORKERS: usize = 3;

/// How often each command is killed before a call, and how often after one.
const KILLS: usize = 5;

/// Of so many uploads one counts.
const UPLOADS: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Install,
    Upgrade,
    Teardown,
}

impl Act {
    const ALL: [Self; 3] = [Self::Install, Self::Upgrade, Self::Teardown];

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Install => &["install", "--yes"],
            Self::Upgrade => &["upgrade", "--yes"],
            Self::Teardown => &["teardown", "--confirm", "spaceduck"],
        }
    }

    fn name(self) -> &'static str {
        self.arguments()[0]
    }
}

/// What happens to a command.
#[derive(Clone, Debug, PartialEq)]
enum Ordeal {
    /// `kill -9` at a call that changes something: its name, and the how manieth of that name.
    Kill(Moment, String, usize),
    /// The first call of every kind goes wrong once; the command has to survive it.
    EachOnce(&'static str),
    /// From this call on the credentials have expired.
    Expired(usize),
    /// A permission is missing for calls of this kind.
    Denied(&'static str),
    /// From the look at a stack with this number on, its status is one that nobody knows.
    UnknownStatus(usize),
}

/// What an undisturbed life is like.
struct Model {
    /// What a command asks.
    calls: BTreeMap<Act, Vec<Call>>,
    /// What there is after it.
    ends: BTreeMap<Act, Value>,
}

fn trouble(name: &str) -> Trouble {
    match name {
        "throttling" => Trouble::Refused(Refusal::Throttled),
        "status 500" => Trouble::Refused(Refusal::Internal),
        "status 503" => Trouble::Refused(Refusal::Unavailable),
        "connection reset" => Trouble::Reset,
        "answer lost" => Trouble::Lost,
        other => panic!("no such trouble: {other}"),
    }
}

/// Calls that are not answered once.
const UNANSWERED: [&str; 5] = [
    "cloudformation CreateStack",
    "cloudformation CreateChangeSet",
    "cloudformation DeleteStack",
    "cloudformation DescribeStackEvents",
    "s3 PutObject",
];

const SURVIVED: [&str; 7] = [
    "no answer",
    "throttling",
    "status 500",
    "status 503",
    "connection reset",
    "answer lost",
    "stale read",
];

/// The same thing in two accounts has the same contents: what is random is only counted.
fn comparable(contents: &Value) -> Value {
    let mut contents = contents.clone();
    for kind in ["keys", "distributions"] {
        if let Some(found) = contents.get_mut(kind) {
            *found = json!(found.as_array().unwrap().len());
        }
    }
    contents
}

impl Person {
    fn contents(&self) -> Value {
        comparable(&self.account())
    }

    /// Gets the galaxy ready for a command.
    fn prepare(&self, act: Act) {
        if act == Act::Upgrade {
            self.configure(512);
        }
    }

    /// What a command has to leave behind, besides what the account tells.
    fn judge(&self, act: Act, duck: Option<&Value>, api: &str) {
        if act == Act::Upgrade {
            assert_eq!(self.live()["memory"], 512);
            let key = text(duck.unwrap(), "beak_key").to_owned();
            let (status, me) = self.get_with_key(&format!("{api}/beak/me"), &key);
            assert_eq!((status, &me["duckling_id"]), (200, &duck.unwrap()["duckling_id"]), "{me}");
        }
    }

    fn undisturbed(&self) -> Model {
        let (mut calls, mut ends) = (BTreeMap::new(), BTreeMap::new());
        let (mut duck, mut api) = (None, String::new());
        for act in Act::ALL {
            self.prepare(act);
            let ran = self.spaceduck(act.arguments());
            assert_eq!(ran.code, Some(0), "{act:?}: {} {}", ran.last(), ran.stderr);
            judge(ran.calls.iter());
            if act == Act::Install {
                api = ran.url("api");
                duck = Some(self.hatch(&api, "agent@example.com"));
            }
            calls.insert(act, ran.calls);
            self.judge(act, duck.as_ref(), &api);
            ends.insert(act, self.contents());
        }
        Model { calls, ends }
    }

    /// Lives through one ordeal with each command, and goes on after it.
    fn live_through(&self, ordeals: &[Ordeal; 3], model: &Model) {
        let (mut duck, mut api) = (None, String::new());
        for (act, ordeal) in Act::ALL.into_iter().zip(ordeals) {
            self.prepare(act);
            let first = self.undergo(act, ordeal);
            judge_first(act, ordeal, &first);
            let again = if first.code == Some(0) { first } else { self.spaceduck(act.arguments()) };
            let what = format!("{act:?} {ordeal:?}");
            assert_eq!(again.code, Some(0), "{what}, again: {} {}", again.last(), again.stderr);
            if act == Act::Install {
                api = again.url("api");
            }
            let end = self.contents();
            let wanted = &model.ends[&act];
            assert!(end == *wanted, "{what}:\n{}", differences(wanted, &end, ""));
            self.judge(act, duck.as_ref(), &api);
            if act == Act::Install {
                duck = Some(self.hatch(&api, "agent@example.com"));
            }
        }
    }

    fn undergo(&self, act: Act, ordeal: &Ordeal) -> Ran {
        let of_aws = |call: &Call| call.name != "web GET";
        match ordeal.clone() {
            Ordeal::Kill(moment, name, number) => {
                let met = Mutex::new(0);
                return self.killed(act.arguments(), moment, move |call| {
                    let is_one = call.name == name && !is_heartbeat(call);
                    let mut met = met.lock().unwrap();
                    *met += usize::from(is_one);
                    is_one && *met == number
                });
            }
            Ordeal::EachOnce("stale read") => {
                // A stale answer needs one before it, so not the first of a kind, but every third.
                self.proxy.on(Trouble::Stale, usize::MAX, move |call| {
                    of_aws(call) && !call.changes && call.number.is_multiple_of(3)
                });
            }
            Ordeal::EachOnce("no answer") => {
                // Each costs the time after which a call is given up, so a few kinds stand for all.
                self.hasty.store(true, Ordering::Relaxed);
                let met: Mutex<BTreeSet<String>> = Mutex::default();
                self.proxy.on(Trouble::Silence, usize::MAX, move |call| {
                    UNANSWERED.contains(&&*call.name)
                        && met.lock().unwrap().insert(call.name.clone())
                });
                let ran = self.spaceduck(act.arguments());
                self.hasty.store(false, Ordering::Relaxed);
                return ran;
            }
            Ordeal::EachOnce(name) => {
                let met: Mutex<BTreeSet<String>> = Mutex::default();
                self.proxy.on(trouble(name), usize::MAX, move |call| {
                    of_aws(call) && met.lock().unwrap().insert(call.name.clone())
                });
            }
            Ordeal::Expired(from) => {
                let expired = Trouble::Refused(Refusal::Expired);
                self.proxy.on(expired, usize::MAX, move |call| of_aws(call) && call.number >= from);
            }
            Ordeal::Denied(name) => {
                let denied = Trouble::Refused(Refusal::Denied);
                self.proxy.on(denied, usize::MAX, move |call| call.name == name);
            }
            Ordeal::UnknownStatus(number) => {
                let met = Mutex::new(0);
                let unknown = Trouble::StackStatus("PLANETS_ALIGNED");
                self.proxy.on(unknown, usize::MAX, move |call| {
                    let looks = call.name == "cloudformation DescribeStacks";
                    let mut met = met.lock().unwrap();
                    *met += usize::from(looks);
                    looks && *met >= number
                });
            }
        }
        self.spaceduck(act.arguments())
    }
}

/// A fault that ends a command ends it with its own exit code, its cause and what to do.
fn judge_first(act: Act, ordeal: &Ordeal, ran: &Ran) {
    let what = format!("{act:?} {ordeal:?}");
    let failed = |codes: &[i32], cause: &[&str]| {
        let last = ran.last();
        assert_eq!(last["type"], "failed", "{what}: {last}");
        assert!(codes.contains(&ran.code.unwrap()), "{what}: {:?} {last}", ran.code);
        assert_eq!(last["exit_code"], json!(ran.code.unwrap()), "{what}: {last}");
        let said = format!("{} {}", last["message"], last["cause"]);
        assert!(cause.iter().any(|cause| said.contains(cause)), "{what}: {last}");
        assert!(text(last, "help").contains("run the same command again"), "{what}: {last}");
    };
    match ordeal {
        Ordeal::Kill(..) => assert_eq!(ran.code, None, "{what}: {}", ran.last()),
        Ordeal::EachOnce(_) => {
            assert_eq!(ran.code, Some(0), "{what}: {} {}", ran.last(), ran.stderr);
            assert!(ran.troubled > 0, "{what}: nothing happened");
        }
        Ordeal::Expired(_) => failed(&[5], &["ExpiredToken", "status 400"]),
        Ordeal::Denied(_) => failed(&[5], &["AccessDenied", "status 403"]),
        Ordeal::UnknownStatus(_) => failed(&[3, 4], &["PLANETS_ALIGNED"]),
    }
}

/// So many numbers from 1 to the last, evenly.
fn spread(last: usize, count: usize) -> Vec<usize> {
    (0..count).map(|at| 1 + at * (last - 1) / (count - 1).max(1)).collect()
}

/// Whether the run renews its lock. How often it does so depends on how long the run takes, so no
/// other run can be told to wait for such a call's number.
fn is_heartbeat(call: &Call) -> bool {
    call.name == "ssm PutParameter"
        && call.body.contains("/lock/")
        && call.body.contains("\"Overwrite\":true")
}

/// Calls that change something, spread evenly over a run: name, and the how manieth of that name.
/// A run of uploads counts as few of them, or there would be little else.
fn moments(calls: &[Call], count: usize) -> Vec<(String, usize)> {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for call in calls.iter().filter(|call| call.changes && !is_heartbeat(call)) {
        let number = met.entry(&call.name).or_default();
        *number += 1;
        let is_upload = call.name == "s3 PutObject";
        if !is_upload || *number % UPLOADS == 1 {
            all.push((call.name.clone(), *number));
        }
    }
    spread(all.len(), count).into_iter().map(|at| all[at - 1].clone()).collect()
}

fn lives(model: &Model) -> Vec<[Ordeal; 3]> {
    // The longest ones first, so that nobody waits for them in the end.
    let mut lives: Vec<_> =
        SURVIVED.into_iter().map(|name| [0, 1, 2].map(|_| Ordeal::EachOnce(name))).collect();
    let moments = Act::ALL.map(|act| moments(&model.calls[&act], 2 * KILLS));
    #[expect(clippy::needless_range_loop, reason = "one moment of each act")]
    for at in 0..2 * KILLS {
        let moment = if at.is_multiple_of(2) { Moment::Before } else { Moment::After };
        lives.push([0, 1, 2].map(|act: usize| {
            let (name, number) = moments[act][at].clone();
            Ordeal::Kill(moment, name, number)
        }));
    }
    let calls = Act::ALL.map(|act| spread(model.calls[&act].len() - 2, 3));
    lives.extend(
        [0, 1, 2].map(|at: usize| [0, 1, 2].map(|act: usize| Ordeal::Expired(calls[act][at]))),
    );
    for denied in [
        ["cloudformation CreateStack", "cloudformation CreateChangeSet", "s3 DeleteBucket"],
        ["s3 PutObject", "cloudformation ExecuteChangeSet", "cloudformation DeleteStack"],
        ["ssm PutParameter", "s3 HeadBucket", "cloudformation UpdateTerminationProtection"],
    ] {
        lives.push(denied.map(Ordeal::Denied));
    }
    lives.push([Ordeal::UnknownStatus(12), Ordeal::UnknownStatus(1), Ordeal::UnknownStatus(2)]);
    lives
}

fn table(lives: &[[Ordeal; 3]]) -> String {
    let mut rows: BTreeMap<(u8, &str), [usize; 3]> = BTreeMap::new();
    for ordeals in lives {
        for (act, ordeal) in ordeals.iter().enumerate() {
            let row = match ordeal {
                Ordeal::Kill(Moment::Before, ..) => (0, "killed before a change"),
                Ordeal::Kill(Moment::After, ..) => (1, "killed after a change"),
                Ordeal::EachOnce(name) => (2, *name),
                Ordeal::Expired(_) => (3, "credentials expire"),
                Ordeal::Denied(_) => (4, "a permission is missing"),
                Ordeal::UnknownStatus(_) => (5, "a status that nobody knows"),
            };
            rows.entry(row).or_default()[act] += 1;
        }
    }
    let mut table = String::from(
        "| what happens | `install` | `upgrade` | `teardown` | and then |\n\
         | --- | --: | --: | --: | --- |\n",
    );
    for ((kind, what), counts) in rows {
        let then = match kind {
            0 | 1 => "the same command again: the end of an undisturbed run",
            2 => "survived: exit code 0 and the end of an undisturbed run",
            3 | 4 => "exit code 5 with cause and cure; the same command again ends well",
            _ => "exit code 3 or 4 with the status; the same command again ends well",
        };
        let counts = counts.map(|count| count.to_string()).join(" | ");
        writeln!(table, "| {what} | {counts} | {then} |").unwrap();
    }
    table
}

/// Everything at once, so that the machine is busy and the page is one.
#[test]
fn whatever_goes_wrong_the_same_command_again_ends_well() {
    let model = Person::new().undisturbed();
    let lives = lives(&model);
    let next = Mutex::new(lives.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let take = || next.lock().unwrap().next();
                while let Some(ordeals) = take() {
                    let outcome = std::panic::catch_unwind(|| {
                        Person::new().live_through(ordeals, &model);
                    });
                    if outcome.is_err() {
                        failed.lock().unwrap().push(ordeals);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} lives failed: {failed:#?}", failed.len());
    for (act, calls) in &model.calls {
        let changes = calls.iter().filter(|call| call.changes).count();
        println!("{}: {} calls, {changes} of them change something", act.name(), calls.len());
    }
    let fresh = table(&lives);
    println!("{fresh}");
    publish(&fresh);
}

#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn publish(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("| what happens |").unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    let fresh = format!("{head}{table}\n{tail}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    } else {
        assert_eq!(page, fresh, "docs/faults.md is stale: run `cargo xtask docs`");
    }
}
