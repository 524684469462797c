//! Every command dies at every effect, and every call that it makes goes wrong: the same command,
//! run again, always ends where an undisturbed run ends. The counts stand in `docs/faults.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use spaceduck::failure::{Failure, Kind};
use spaceduck::model::{Place, Tags};
use spaceduck::plan::Goal;
use spaceduck::ports::{Mode, Proposal};
use spaceduck::rehearse::{Account, Cut, Foreign, Hiccup};

mod galaxy;

use galaxy::{account, go_back_to, install, installed, reach, tear_down, with_neighbour};

/// Everything that others can see of each thing, by thing.
type Dump = BTreeMap<String, String>;

/// A command and where it starts.
#[derive(Clone, Copy, Debug)]
enum Act {
    Install,
    Upgrade,
    Rollback,
    Teardown,
}

/// An account with everything that others can have in it: things under names much like the
/// galaxy's, and a galaxy that lives in another Region and has its sites beside ours. Besides the
/// account, what of it is theirs.
async fn neighbourhood() -> (Arc<Account>, Dump) {
    let account = account();
    for place in [Place::Home, Place::Edge] {
        account.settle(Foreign::Bucket(place, "spaceduck-theirs".into(), Tags::new()));
        let certificate = Foreign::Certificate(place, "theirs.example".into(), Tags::new());
        account.settle(certificate);
        account.settle(stack(place, "spaceduck-orders"));
    }
    account.settle(Foreign::Table("spaceduck-orders".into(), Vec::new(), Tags::new()));
    account.settle(Foreign::Parameter("/spaceduck-3/mail".into(), "x".into(), Tags::new()));
    let account = with_neighbour(&account, "spaceduck-2", "us-west-2").await;
    let theirs = account.dump();
    (account, theirs)
}

/// A stack of somebody else's with a table in it.
fn stack(place: Place, name: &str) -> Foreign {
    let body = format!(
        "Resources:\n  Orders:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      \
         TableName: {name}-{place:?}\n"
    );
    let proposal = Proposal {
        place,
        name: name.to_owned(),
        body,
        parameters: BTreeMap::new(),
        secrets: BTreeMap::new(),
        tags: Tags::new(),
        role: None,
        mode: Mode::Plain,
        express: true,
        token: None,
    };
    Foreign::Stack(Box::new(proposal), true)
}

impl Act {
    /// Where the command starts.
    async fn start(self) -> (Arc<Account>, Dump) {
        let (account, theirs) = neighbourhood().await;
        if !matches!(self, Self::Install) {
            install(&account).await.unwrap();
        }
        if matches!(self, Self::Rollback) {
            reach(&account, Goal::Present, "b").await.unwrap();
        }
        (account, theirs)
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
        format!("{release} {:#?}", account.contents())
    }
}

/// Runs into the trouble, then again without it, and compares the end with an undisturbed one.
async fn recovers(act: Act, account: &Arc<Account>, wanted: &str, what: &str) {
    let first = act.run(account).await;
    account.cut(None);
    account.hiccup(None);
    if let Err(failure) = &first {
        assert_ne!(failure.kind, Kind::Bug, "{act:?} {what}: {}", failure.to_text());
        let again = act.run(account).await;
        again.unwrap_or_else(|f| panic!("{act:?} {what}, again: {}", f.to_text()));
    }
    assert_eq!(act.end(account).await, wanted, "{act:?} {what}");
}

/// What others have is as it was.
fn untouched(account: &Account, theirs: &Dump, what: &str) {
    let now = account.dump();
    for (key, value) in theirs {
        assert!(now.get(key) == Some(value), "{what}: {key} was changed or is gone");
    }
}

async fn matrix(act: Act) -> (usize, usize) {
    let (start, theirs) = act.start().await;
    let undisturbed = start.copy();
    let (before, _) = (undisturbed.log().len(), undisturbed.hiccup(None));
    act.run(&undisturbed).await.unwrap();
    untouched(&undisturbed, &theirs, &format!("{act:?}"));
    let calls = undisturbed.hiccup(None);
    let effects = undisturbed.log().len() - before;
    let wanted = act.end(&undisturbed).await;
    let play = async |what: String, trouble: &dyn Fn(&Account)| {
        let account = start.copy();
        trouble(&account);
        recovers(act, &account, &wanted, &what).await;
        untouched(&account, &theirs, &format!("{act:?} {what}"));
    };
    for number in 1..=effects {
        for cut in [Cut::Before(number), Cut::After(number)] {
            play(format!("{cut:?}"), &|account| account.cut(Some(cut))).await;
        }
    }
    for call in 1..=calls {
        for (done, kind) in [(false, Kind::Access), (true, Kind::Settled)] {
            let hiccup = Hiccup { call, done, kind };
            play(format!("{hiccup:?}"), &|account| {
                account.hiccup(Some(hiccup));
            })
            .await;
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
