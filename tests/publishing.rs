//! Publishing in an account in memory: only what differs goes up, in an order in which nobody meets
//! half a release, and an interruption leaves nothing old behind.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::sync::Arc;

use galaxy_sites::{Site, SiteConfig};
use spaceduck::back;
use spaceduck::drift;
use spaceduck::execute::{self, Job, Pages};
use spaceduck::failure::Failure;
use spaceduck::model::Place;
use spaceduck::observe::{self, observe};
use spaceduck::plan::{self, Goal};
use spaceduck::ports::Object;
use spaceduck::rehearse::{Account, Cut};
use spaceduck::release::Record;
use spaceduck::release::{self, CURRENT_KEY, Manifest};

use galaxy::{account, job};

const BUCKET: &str = "spaceduck-duckgalaxy-111122223333-us-east-1-an";
const ARTIFACTS: &str = "spaceduck-artifacts-111122223333-eu-central-1-an";
const SHORT: &str = "public, max-age=300";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Path, content, `Cache-Control`.
type Given = (&'static str, &'static str, &'static str);

/// The smallest site that there can be, and what is given besides for one of the five.
fn files(given: &[Given]) -> spaceduck::site::Files {
    let given = given.to_vec();
    Arc::new(move |site: Site, config: &SiteConfig| {
        let file = |path: &str, content: String, cache: &str| Object {
            key: path.into(),
            bytes: content.into(),
            content_type: match path.rsplit('.').next() {
                Some("html") => "text/html; charset=utf-8".into(),
                _ => "text/plain".into(),
            },
            cache_control: cache.into(),
        };
        let hub = config.sites.values().cloned().collect::<Vec<_>>().join(" ");
        let mut all = vec![file("config.json", config.api_base.clone(), "no-cache")];
        all.push(file("sites/index.html", hub, "no-cache"));
        if site == Site::DuckGalaxy {
            all.extend(given.iter().map(|(path, text, cache)| file(path, (*text).into(), cache)));
        }
        Ok(all)
    })
}

async fn with(account: &Arc<Account>, code: &str, given: &[Given]) -> Arc<Job> {
    let (job, _) = job(account, Goal::Present, code).await.unwrap();
    let mut job = Arc::into_inner(job).unwrap();
    job.files = files(given);
    Arc::new(job)
}

/// Installs a release with these files; what was done for it.
async fn install(
    account: &Arc<Account>,
    code: &str,
    given: &[Given],
) -> Result<Vec<String>, Failure> {
    let job = with(account, code, given).await;
    let observed = observe(&job).await?;
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    let before = account.log().len();
    if !plan.is_empty() {
        execute::run(&plan, &job).await?;
    }
    Ok(account.log().split_off(before))
}

/// The objects that were stored in a bucket, in their order.
fn stored<'l>(log: &'l [String], bucket: &str) -> Vec<&'l str> {
    let start = format!("write {bucket}/");
    log.iter().filter_map(|done| done.strip_prefix(start.as_str())).collect()
}

async fn held(account: &Arc<Account>) -> BTreeMap<String, (String, String)> {
    let assets = account.world().assets;
    let mut held = BTreeMap::new();
    for key in assets.keys(Place::Edge, BUCKET).await.unwrap() {
        let bytes = assets.read(Place::Edge, BUCKET, &key).await.unwrap().unwrap();
        let seen = assets.look(Place::Edge, BUCKET, &key).await.unwrap().unwrap();
        held.insert(key, (String::from_utf8(bytes).unwrap(), seen.cache_control));
    }
    held
}

async fn record(account: &Arc<Account>) -> Manifest {
    release::current(account.world().assets.as_ref(), ARTIFACTS).await.unwrap().unwrap()
}

const ONE: &[Given] = &[
    ("index.html", "one", "no-cache"),
    ("robots.txt", "all", SHORT),
    ("same.html", "same", "no-cache"),
    ("style.1.css", "red", FOR_EVER),
];

#[tokio::test]
async fn only_what_differs_goes_up_in_content_or_headers() {
    let account = account();
    let log = install(&account, "a", ONE).await.unwrap();
    assert_eq!(stored(&log, BUCKET).len(), 6, "each of them once: {log:#?}");
    assert_eq!(install(&account, "a", ONE).await.unwrap(), Vec::<String>::new());
    // Another word of the same length, other headers for the same content, one that goes, one that
    // comes, and one that stays.
    let two: &[Given] = &[
        ("index.html", "two", "no-cache"),
        ("new.html", "new", "no-cache"),
        ("robots.txt", "all", "public, max-age=60"),
        ("same.html", "same", "no-cache"),
        ("style.2.css", "red", FOR_EVER),
    ];
    let log = install(&account, "a", two).await.unwrap();
    let up = ["new.html", "style.2.css", "robots.txt", "index.html"];
    let mut first = stored(&log, BUCKET);
    assert_eq!(first.len(), up.len(), "{log:#?}");
    let last = first.split_off(2);
    assert_eq!(last, up[2..], "what is seen is turned last, pages behind all else");
    first.sort_unstable();
    assert_eq!(first, up[..2]);
    for other in Site::ALL.into_iter().filter(|site| *site != Site::DuckGalaxy) {
        let bucket = BUCKET.replace("duckgalaxy", other.name());
        assert_eq!(stored(&log, &bucket), Vec::<&str>::new(), "{bucket}");
    }
    let held = held(&account).await;
    assert_eq!(held["index.html"].0, "two");
    assert_eq!(held["robots.txt"].1, "public, max-age=60");
    assert_eq!(install(&account, "a", two).await.unwrap(), Vec::<String>::new());
}

/// Until version 3 the whole record lay where now the pointer to it does.
#[tokio::test]
async fn what_an_older_program_wrote_down_is_taken_up() {
    let account = account();
    install(&account, "a", ONE).await.unwrap();
    let assets = account.world().assets;
    let old = Manifest { version: 3, ..record(&account).await };
    let whole = Object { key: CURRENT_KEY.into(), ..old.to_object().unwrap() };
    assets.remove(Place::Home, ARTIFACTS, &[old.key()]).await.unwrap();
    assets.write(Place::Home, ARTIFACTS, &whole).await.unwrap();
    // The trail of earlier releases came later; a record without one implies it.
    assert_eq!(Manifest { history: old.history.clone(), ..record(&account).await }, old);
    assert_eq!(install(&account, "a", ONE).await.unwrap(), Vec::<String>::new());
    let two: &[Given] = &[&ONE[1..], &[("index.html", "two", "no-cache")]].concat();
    let log = install(&account, "a", two).await.unwrap();
    assert_eq!(stored(&log, BUCKET), ["index.html"], "{log:#?}");
    assert_eq!(record(&account).await.number, old.number + 1);
}

#[tokio::test]
async fn the_order_is_assets_pages_edge_and_then_the_record() {
    let account = account();
    install(&account, "a", ONE).await.unwrap();
    let two: &[Given] = &[("index.html", "two", "no-cache"), ("style.2.css", "blue", FOR_EVER)];
    let log = install(&account, "b", two).await.unwrap();
    let at = |what: &str| {
        let found = log.iter().rposition(|done| done.contains(what));
        found.unwrap_or_else(|| unreachable!("no `{what}` in {log:#?}"))
    };
    let noted = log.iter().position(|done| done.ends_with("releases/current.json")).unwrap();
    for before in [at("/style.2.css"), at("apply spaceduck-api"), noted] {
        assert!(before < at("/index.html"), "{log:#?}");
    }
    assert!(at("/index.html") < at("turn "), "{log:#?}");
    assert!(log.last().unwrap().ends_with("/releases/current.json"), "{log:#?}");
    // Pages are asked for anew by themselves; only what lasts has to be forgotten.
    let turned: Vec<_> = log.iter().filter(|done| done.starts_with("turn ")).collect();
    assert_eq!(turned.len(), 1, "{log:#?}");
    assert!(turned[0].ends_with(", forget /robots.txt"), "{log:#?}");
}

/// Pages that somebody has open, or that an edge still has, find what they name.
#[tokio::test]
async fn pages_of_the_release_before_keep_working_for_one_release() {
    let account = account();
    install(&account, "a", ONE).await.unwrap();
    let two: &[Given] = &[("index.html", "two", "no-cache"), ("style.2.css", "blue", FOR_EVER)];
    install(&account, "a", two).await.unwrap();
    let there = held(&account).await;
    assert!(there.contains_key("style.1.css") && there.contains_key("style.2.css"));
    assert!(!there.contains_key("same.html"), "a page that is gone is gone at once");
    let (job, observed) = job(&account, Goal::Present, "a").await.unwrap();
    let job = back::toward(&job, observed.current.clone().unwrap()).await.unwrap();
    let observed = observe(&job).await.unwrap();
    let current = Record::whole(observed.current.unwrap());
    assert_eq!(drift::inspect(&job, &observed.stacks, &current).await.unwrap(), []);
    let three: &[Given] = &[("index.html", "three", "no-cache"), ("style.3.css", "ink", FOR_EVER)];
    install(&account, "a", three).await.unwrap();
    let there = held(&account).await;
    assert!(!there.contains_key("style.1.css") && there.contains_key("style.2.css"));
}

#[tokio::test]
async fn contents_are_kept_once_and_come_back() {
    let account = account();
    install(&account, "a", ONE).await.unwrap();
    let packs = |log: &[String]| {
        stored(log, ARTIFACTS).into_iter().filter(|key| key.starts_with("packs/")).count()
    };
    // The same content at another path, and one that is new.
    let two: &[Given] = &[("index.html", "two", "no-cache"), ("moved.html", "same", "no-cache")];
    let log = install(&account, "a", two).await.unwrap();
    assert_eq!(packs(&log), 1, "{log:#?}");
    let manifest = record(&account).await;
    let spot =
        |path: &str| manifest.contents[&manifest.sites["duckgalaxy"].files[path].sha256].clone();
    assert_ne!(spot("index.html").pack, spot("moved.html").pack, "that was there before");
    let three: &[Given] = &[("index.html", "one", "no-cache"), ("moved.html", "two", "no-cache")];
    assert_eq!(packs(&install(&account, "a", three).await.unwrap()), 1, "`one` is no longer known");
    // Back to the first, by the record alone.
    let (looking, _) = job(&account, Goal::Present, "a").await.unwrap();
    let first = observe::releases(&looking).await.unwrap().pop().unwrap();
    let back = back::toward(&looking, first).await.unwrap();
    let observed = observe(&back).await.unwrap();
    let before = account.log().len();
    execute::run(&plan::plan(Goal::Back, &observed, &back.rendered), &back).await.unwrap();
    let log = account.log().split_off(before);
    let mut up = stored(&log, BUCKET);
    up.sort_unstable();
    assert_eq!(up, ["robots.txt", "same.html", "style.1.css"], "{log:#?}");
    let held = held(&account).await;
    assert_eq!((held.len(), held["same.html"].0.as_str()), (6, "same"));
    assert!(!record(&account).await.unsettled);
    assert!(matches!(back.pages, Pages::Record(_)));
}

/// A release that was cut off, then another one: nothing of the one in between stays, not even a
/// header that no listing tells.
#[tokio::test]
async fn a_release_that_was_cut_off_leaves_nothing_behind() {
    let between: &[Given] = &[
        ("between.html", "between", "no-cache"),
        ("index.html", "between", "no-cache"),
        ("robots.txt", "all", "public, max-age=9"),
        ("same.html", "same", "no-store"),
    ];
    let three: &[Given] = &[
        ("index.html", "one", "no-cache"),
        ("robots.txt", "all", SHORT),
        ("same.html", "same", "no-cache"),
        ("three.html", "three", "no-cache"),
    ];
    let undisturbed = account();
    for given in [ONE, three] {
        install(&undisturbed, "a", given).await.unwrap();
    }
    let wanted = held(&undisturbed).await;
    let all = {
        let account = account();
        install(&account, "a", ONE).await.unwrap();
        install(&account, "a", between).await.unwrap().len()
    };
    let mut overwritten = 0;
    for cut in (1..=all).flat_map(|at| [Cut::Before(at), Cut::After(at)]) {
        let account = account();
        install(&account, "a", ONE).await.unwrap();
        account.cut(Some(cut));
        let cut_off = install(&account, "a", between).await.is_err();
        account.cut(None);
        overwritten += usize::from(cut_off && record(&account).await.unsettled);
        // The one before, as if nobody had ever wanted another.
        install(&account, "a", ONE).await.unwrap();
        let held_again = held(&account).await;
        for (path, content, cache) in ONE {
            let found = &held_again[*path];
            assert_eq!((found.0.as_str(), found.1.as_str()), (*content, *cache), "{cut:?} {path}");
        }
        install(&account, "a", three).await.unwrap();
        let held = held(&account).await;
        assert_eq!(held, wanted, "{cut:?}");
        assert!(!record(&account).await.unsettled, "{cut:?}");
    }
    assert!(overwritten > 4, "hardly any cut fell into what is tested here: {overwritten}");
}
