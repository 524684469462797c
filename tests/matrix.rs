//! Every command dies at every effect, and every call that it makes goes wrong: the same command,
//! run again, always ends where an undisturbed run ends. The counts stand in `docs/faults.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use spaceduck::failure::{Failure, Kind};
use spaceduck::model::{Place, Tags};
use spaceduck::plan::Goal;
use spaceduck::rehearse::{Account, Cut, Foreign, Hiccup};

mod galaxy;

use galaxy::{account, go_back_to, install, installed, reach, tear_down};

/// A command and where it starts.
#[derive(Clone, Copy, Debug)]
enum Act {
    Install,
    Upgrade,
    Rollback,
    Teardown,
}

impl Act {
    async fn start(self) -> Arc<Account> {
        let account = account();
        // Others are in every account, under names much like the galaxy's.
        for place in [Place::Home, Place::Edge] {
            account.settle(Foreign::Bucket(place, "spaceduck-theirs".into(), Tags::new()));
            let certificate = Foreign::Certificate(place, "theirs.example".into(), Tags::new());
            account.settle(certificate);
        }
        account.settle(Foreign::Table("spaceduck-orders".into(), Vec::new(), Tags::new()));
        account.settle(Foreign::Parameter("/spaceduck-2/mail".into(), "x".into(), Tags::new()));
        if !matches!(self, Self::Install) {
            install(&account).await.unwrap();
        }
        if matches!(self, Self::Rollback) {
            reach(&account, Goal::Present, "b").await.unwrap();
        }
        account
    }

    async fn run(self, account: &Arc<Account>) -> Result<(), Failure> {
        match self {
            Self::Install => install(account).await.map(|_| ()),
            Self::Upgrade => reach(account, Goal::Present, "b").await.map(|_| ()),
            // By name, as one does who repeats it: without one it goes one further back.
            Self::Rollback => go_back_to(account, Some("a")).await,
            Self::Teardown => tear_down(account).await.map(|_| ()),
        }
    }

    /// The end state: what there is, and what is installed.
    async fn end(self, account: &Arc<Account>) -> String {
        let release = match self {
            Self::Teardown => String::new(),
            _ => installed(account).await.0,
        };
        format!("{release} {:#?} {:?}", account.contents(), theirs(account))
    }
}

/// Runs into the trouble, then again without it, and compares the end with an undisturbed one.
/// Whether the first run noticed.
async fn recovers(act: Act, account: &Arc<Account>, wanted: &str, what: &str) -> bool {
    let first = act.run(account).await;
    account.cut(None);
    account.hiccup(None);
    if let Err(failure) = &first {
        assert_ne!(failure.kind, Kind::Bug, "{act:?} {what}: {}", failure.to_text());
        let again = act.run(account).await;
        again.unwrap_or_else(|f| panic!("{act:?} {what}, again: {}", f.to_text()));
    }
    assert_eq!(act.end(account).await, wanted, "{act:?} {what}");
    first.is_err()
}

/// What others have, to be compared.
fn theirs(account: &Account) -> Vec<(String, String)> {
    let of_others = ["theirs", "orders", "spaceduck-2"];
    let all = account.dump().into_iter();
    all.filter(|(key, _)| of_others.iter().any(|part| key.contains(part))).collect()
}

async fn matrix(act: Act) -> (usize, usize) {
    let undisturbed = act.start().await;
    let (before, _) = (undisturbed.log().len(), undisturbed.hiccup(None));
    let others = theirs(&undisturbed);
    act.run(&undisturbed).await.unwrap();
    assert_eq!(theirs(&undisturbed), others, "{act:?}");
    let calls = undisturbed.hiccup(None);
    let effects = undisturbed.log().len() - before;
    let wanted = act.end(&undisturbed).await;
    for number in 1..=effects {
        for cut in [Cut::Before(number), Cut::After(number)] {
            let account = act.start().await;
            account.cut(Some(cut));
            recovers(act, &account, &wanted, &format!("{cut:?}")).await;
        }
    }
    for call in 1..=calls {
        for (done, kind) in [(false, Kind::Access), (true, Kind::Settled)] {
            let account = act.start().await;
            let hiccup = Hiccup { call, done, kind };
            account.hiccup(Some(hiccup));
            recovers(act, &account, &wanted, &format!("{hiccup:?}")).await;
        }
    }
    (effects, calls)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn whatever_goes_wrong_the_same_command_again_goes_on() {
    let mut table = String::from(
        "| command | dies before a change | dies after it | credentials expire at a call | its \
         answer is lost |\n| --- | --: | --: | --: | --: |\n",
    );
    let rows = [
        ("install", Act::Install),
        ("upgrade", Act::Upgrade),
        ("rollback RELEASE", Act::Rollback),
        ("teardown", Act::Teardown),
    ];
    // A thread for each, so that every row is played in one order and counted alike each time.
    let alone = |act| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(matrix(act))
    };
    let running = rows.map(|(name, act)| (name, std::thread::spawn(move || alone(act))));
    for (name, counted) in running {
        let (effects, calls) = counted.join().unwrap();
        println!("{name}: {effects} changes, {calls} calls, each of them twice: all recovered");
        let row = [effects, effects, calls, calls].map(|n| format!("{n} of {n}"));
        writeln!(table, "| `{name}` | {} |", row.join(" | ")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("| command |").unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    let fresh = format!("{head}{table}\n{tail}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    } else {
        assert_eq!(page, fresh, "docs/faults.md is stale: run `cargo xtask docs`");
    }
}
