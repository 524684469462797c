//! Pages of one's own: checked, looked at on this machine, published, kept.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use galaxy_sites::Site;
use serde_json::Value;
use spaceduck::execute;
use spaceduck::failure::Kind;
use spaceduck::model::Place;
use spaceduck::observe::observe;
use spaceduck::plan::{self, Goal};
use spaceduck::rehearse::Account;
use spaceduck::site::{self, Files, own};

const RULES: &str = "---\ntitle: Rules of this house\ndescription: What everybody who hatches a \
                     duckling here has to know about this house.\nkind: guide\n---\nNo quacking.\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("galaxy.yaml"), "region: eu-west-1\npages: ours\n").unwrap();
    std::fs::create_dir(folder.path().join("ours")).unwrap();
    for (path, text) in files {
        let path = folder.path().join("ours").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Runs the program; its exit code and its last line of JSON.
fn spaceduck(folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
        .current_dir(folder)
        .args(arguments)
        .args(["--json", "--yes"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), serde_json::from_str(text.lines().last().unwrap()).unwrap())
}

#[test]
fn a_folder_is_checked_without_an_account_and_played_through() {
    let folder = folder(&[("duckgalaxy/house.md", RULES), ("spaceduckling/logo.svg", "<svg/>")]);
    let (code, last) = spaceduck(folder.path(), &["site", "check"]);
    assert_eq!((code, &last["outcome"]), (Some(0), &"done".into()), "{last}");
    let (code, last) = spaceduck(folder.path(), &["install", "--rehearse"]);
    assert_eq!((code, &last["outcome"]), (Some(0), &"done".into()), "{last}");
    // A rehearsal of this begins with a galaxy in which they are published.
    let (code, last) = spaceduck(folder.path(), &["site", "publish", "--rehearse"]);
    assert_eq!((code, &last["outcome"]), (Some(0), &"unchanged".into()), "{last}");
}

#[test]
fn a_mistake_is_told_with_its_file_before_anything_is_done() {
    let folder = folder(&[("duckgalaxy/house.md", "No quacking."), ("swan/a.html", "")]);
    for command in [&["site", "check"][..], &["install", "--rehearse"], &["plan", "--rehearse"]] {
        let (code, last) = spaceduck(folder.path(), command);
        assert_eq!(code, Some(1), "{command:?}: {last}");
        let message = last["message"].as_str().unwrap();
        assert!(
            message.contains("ours/duckgalaxy/house.md") || message.contains("ours/swan"),
            "{last}"
        );
    }
    let none = tempfile::TempDir::new().unwrap();
    let (code, last) = spaceduck(none.path(), &["site", "check"]);
    assert_eq!(code, Some(1), "{last}");
    assert!(last["help"].as_str().unwrap().contains("`pages`"), "{last}");
}

/// Another machine, or a folder that was lost, takes no page away.
#[test]
fn what_is_installed_is_not_taken_away_by_forgetting_it() {
    let failure = own::still_named(None, true).unwrap_err();
    assert_eq!(failure.kind, Kind::Refused);
    assert!(failure.to_text().contains("set `pages` in galaxy.yaml"), "{}", failure.to_text());
    let ours = Some(Path::new("ours"));
    for (folder, installed) in [(None, false), (ours, true), (ours, false)] {
        assert!(own::still_named(folder, installed).is_ok(), "{folder:?}");
    }
}

/// The local galaxy of a folder, until it is dropped.
struct Local {
    child: Child,
    port: u16,
    log: tempfile::NamedTempFile,
}

impl Local {
    fn start(folder: &Path) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_spaceduck"))
            .current_dir(folder)
            .args(["local", "--port", "0", "--data", "data"])
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let address = line.trim().strip_prefix("API")?.trim().to_owned();
            address.strip_prefix("http://localhost:")?.strip_suffix("/beak")?.parse().ok()
        });
        let port = port.unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap()));
        Self { child, port, log }
    }

    /// What a visitor gets.
    fn page(&self, site: &str, path: &str) -> String {
        let address = format!("http://localhost:{}{path}", self.port);
        let host = format!("{site}.localhost:{}", self.port);
        let mut answer = ureq::get(address).header("host", host).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_galaxy_on_this_machine_shows_them_as_they_are() {
    let folder = folder(&[("duckgalaxy/house.md", RULES), ("spaceduckling/logo.svg", "<svg/>")]);
    let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
    let local = Local::start(folder.path());
    assert!(local.page("duckgalaxy", "/house/").contains("<p>No quacking.</p>"));
    assert!(local.page("duckgalaxy", "/guide/").contains("<a href=\"/house/\">"), "navigation");
    assert_eq!(local.page("spaceduckling", "/logo.svg"), "<svg/>");
    assert!(local.page("duckgalaxy", "/api/").contains("<html"), "ours are there too");
    // Whoever writes sees it at the next look; a mistake is told, and what was there stays.
    write("ours/duckgalaxy/house.md", &RULES.replace("No quacking", "Quack softly"));
    assert!(local.page("duckgalaxy", "/house/").contains("<p>Quack softly.</p>"));
    assert_eq!(local.log(), "");
    write("ours/duckgalaxy/house.md", "Quack as you like.");
    assert!(local.page("duckgalaxy", "/house/").contains("<p>Quack softly.</p>"));
    let told = local.log();
    let mistake = "`ours/duckgalaxy/house.md`: it does not begin with `---`";
    assert!(told.contains(mistake), "{told}");
    assert_eq!(local.page("spaceduckling", "/logo.svg"), "<svg/>");
    assert_eq!(local.log(), told, "a mistake is told once");
    write("ours/duckgalaxy/house.md", &RULES.replace("No quacking", "Quack as you like"));
    write("ours/spaceduckling/more.txt", "more");
    assert!(local.page("duckgalaxy", "/house/").contains("<p>Quack as you like.</p>"));
    assert_eq!(local.page("spaceduckling", "/more.txt"), "more");
}

#[test]
fn a_mistake_keeps_the_galaxy_on_this_machine_from_starting() {
    let folder = folder(&[("duckgalaxy/house.md", "No quacking."), ("swan/a.html", "")]);
    let said = |arguments: &[&str]| {
        let (code, last) = spaceduck(folder.path(), arguments);
        assert_eq!(code, Some(1), "{last}");
        last["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(said(&["local", "--port", "0", "--data", "data"]), said(&["site", "check"]));
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

/// One of our pages replaced as Markdown, one as HTML, one page more, and a file.
const THEIRS: [(&str, &str, &str); 4] = [
    ("duckgalaxy/house.md", "duckgalaxy/house/index.html", "<p>No quacking.</p>"),
    ("duckcontrol/start/index.md", "duckcontrol/start/index.html", "<p>Call Ada at night.</p>"),
    ("spaceduck-bot/index.html", "spaceduck-bot/index.html", "<h1>Ours</h1>"),
    ("spaceduckling/logo.svg", "spaceduckling/logo.svg", "<svg/>"),
];

/// The release before this one: every page of ours said something else, and there was one more.
fn release_before(theirs: Files) -> Files {
    Arc::new(move |site, config| {
        let mut all = theirs(site, config)?;
        for object in &mut all {
            let place = format!("{}/{}", site.name(), object.key);
            if object.key.ends_with("html") && !THEIRS.iter().any(|(_, path, _)| *path == place) {
                object.bytes = [&object.bytes, &b"<!-- before -->"[..]].concat().into();
            }
        }
        let mut one_more = all[0].clone();
        one_more.key = "gone/index.html".into();
        all.push(one_more);
        Ok(all)
    })
}

/// Brings the account to a goal with these files, and what was done for it.
async fn install(account: &Arc<Account>, code: &str, files: &Files) -> Vec<String> {
    let (job, observed) = galaxy::job(account, Goal::Present, code).await.unwrap();
    let mut job = Arc::into_inner(job).unwrap();
    job.files = Arc::clone(files);
    let job = Arc::new(job);
    drop(observed);
    let observed = observe(&job).await.unwrap();
    let before = account.log().len();
    execute::run(&plan::plan(Goal::Present, &observed, &job.rendered), &job).await.unwrap();
    account.log().split_off(before)
}

/// What visitors get, as `SITE/path`.
async fn seen(account: &Arc<Account>) -> BTreeMap<String, String> {
    let assets = account.world().assets;
    let mut seen = BTreeMap::new();
    for site in Site::ALL {
        let bucket = format!("spaceduck-{}-111122223333-us-east-1-an", site.name());
        for key in assets.keys(Place::Edge, &bucket).await.unwrap() {
            let bytes = assets.read(Place::Edge, &bucket, &key).await.unwrap().unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            seen.insert(format!("{}/{key}", site.name()), text);
        }
    }
    seen
}

fn has_theirs(seen: &BTreeMap<String, String>) {
    for (_, path, text) in THEIRS {
        assert!(seen[path].contains(text), "{path}: {}", seen[path]);
    }
}

/// A release with other pages of ours comes and goes; theirs stay what visitors get, and are not
/// even written again.
#[tokio::test]
async fn neither_an_upgrade_nor_a_rollback_touches_them() {
    let night = RULES.replace("Rules of this house", "Whom to call").replace(
        "What everybody who hatches a duckling here has to know about this house.",
        "Whom to call when this galaxy does not answer, at night and by day.",
    );
    let night = night.replace("No quacking.", "Call Ada at night.");
    let texts = [RULES, &night, "<!doctype html><h1>Ours</h1>", "<svg/>"];
    let files: Vec<_> = THEIRS.iter().zip(texts).map(|((path, ..), text)| (*path, text)).collect();
    let folder = folder(&files);
    let content = own::content(&folder.path().join("ours")).unwrap().content;
    let now: Files = Arc::new(move |site, config| site::objects_of(&content, site, config));
    let before = release_before(Arc::clone(&now));
    let account = galaxy::account();
    install(&account, "a", &before).await;
    let first = seen(&account).await;
    has_theirs(&first);
    assert!(first.contains_key("duckgalaxy/gone/index.html"));
    let log = install(&account, "b", &now).await;
    let second = seen(&account).await;
    has_theirs(&second);
    assert_ne!(first["duckgalaxy/index.html"], second["duckgalaxy/index.html"], "ours are new");
    assert!(!second.contains_key("duckgalaxy/gone/index.html"));
    for (_, path, _) in THEIRS {
        let (site, key) = path.split_once('/').unwrap();
        let put = format!("write spaceduck-{site}-111122223333-us-east-1-an/{key}");
        assert!(!log.contains(&put), "{put}");
    }
    galaxy::go_back_to(&account, Some("a")).await.unwrap();
    let back = seen(&account).await;
    has_theirs(&back);
    assert_eq!(back["duckgalaxy/index.html"], first["duckgalaxy/index.html"], "ours are back");
}

/// A folder asked for without its slash: relative pictures on its page would lead elsewhere.
#[test]
fn a_folder_without_its_slash_redirects_and_well_known_files_are_there() {
    let folder = folder(&[
        ("duckgalaxy/photos/index.html", "<!doctype html><img src=\"DUCK.JPG\">"),
        ("duckgalaxy/photos/DUCK.JPG", "a picture"),
        ("duckgalaxy/.well-known/security.txt", "Contact: mailto:a@example.com"),
        ("duckgalaxy/.well-known/acme-challenge/token", "a token"),
        ("duckgalaxy/.DS_Store", "x"),
    ]);
    let local = Local::start(folder.path());
    let ask = |path: &str| {
        let host = format!("duckgalaxy.localhost:{}", local.port);
        let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
        let answer = agent.get(format!("http://localhost:{}{path}", local.port));
        let answer = answer.header("host", host).call().unwrap();
        let header = |name| {
            let value = answer.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        (answer.status().as_u16(), header("location"), header("content-type"))
    };
    let moved = |to: &str| (301, to.to_owned(), String::new());
    assert_eq!(ask("/photos"), moved("/photos/"));
    assert_eq!(ask("/photos?a=1&b=%2F"), moved("/photos/?a=1&b=%2F"));
    assert_eq!(ask("//evil"), moved("/evil/"), "never to another host");
    let there = |kind: &str| (200, String::new(), kind.to_owned());
    assert_eq!(ask("/photos/"), there("text/html; charset=utf-8"));
    assert_eq!(ask("/photos/DUCK.JPG"), there("image/jpeg"));
    assert_eq!(ask("/.well-known/security.txt"), there("text/plain; charset=utf-8"));
    assert_eq!(ask("/.well-known/acme-challenge/token"), there("text/plain; charset=utf-8"));
    assert!(local.log().contains(".DS_Store`: hidden files stay here"), "{}", local.log());
    // The same is said before anything is published.
    let mut check = Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    let said = check.current_dir(folder.path()).args(["site", "check"]).output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("Not published: `ours/duckgalaxy/.DS_Store`"), "{said}");
}
