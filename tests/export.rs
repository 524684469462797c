//! A galaxy that changes while it is exported: what arrives elsewhere is one galaxy, in which all
//! that its clients see fits together.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;
mod pond;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use beak_core::ports::Store;
use beak_local::pond::Pond;
use beak_local::transfer::Repairs;
use spaceduck::archive::{self, Progress, Reader, Source, Spool};
use spaceduck::model::Secret;
use spaceduck::plan::Goal;
use tempfile::TempDir;

use galaxy::{account, install, job};
use pond::{Deed, Live, seen, sound};

/// Lines in memory.
#[derive(Default)]
struct Lines(String);

impl archive::Sink for Lines {
    async fn take(&mut self, line: &str) -> Result<(), spaceduck::failure::Failure> {
        self.0.push_str(line);
        Ok(())
    }
}

fn source() -> Source {
    let tables = ["eggs", "ducklings", "pecks", "certs", "newsletter", "ledger"];
    let tables = tables.map(|table| (table.to_owned(), table.to_owned())).into();
    Source { galaxy: "pond".into(), tables, pool: Some("pool".into()) }
}

async fn exported(live: &Live) -> String {
    let mut lines = Lines::default();
    archive::write(live, &source(), live.seconds(), &mut lines).await.unwrap();
    lines.0
}

fn imported(text: &str) -> (TempDir, Pond, Repairs) {
    let folder = pond::folder();
    let repairs = archive::into_folder(text.as_bytes(), folder.path()).unwrap();
    let pond = Pond::open(folder.path()).unwrap();
    (folder, pond, repairs)
}

/// What clients see in a galaxy, without what an export may hold of any moment: names.
async fn compared(store: &Arc<dyn Store>, live: &Live) -> BTreeMap<String, String> {
    seen(store.as_ref(), live.now(), &live.renamed()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_under_load_is_the_galaxy_as_it_is_at_its_end() {
    for seed in 1..=12 {
        let live = Live::new(seed, 30).await;
        let text = exported(&live).await;
        assert_eq!(live.left(), 0, "seed {seed}: all deeds were done during the export");
        let wanted = compared(&live.store(), &live).await;
        let (_folder, pond, repairs) = imported(&text);
        let differs = differences(&compared(&pond.store(), &live).await, &wanted);
        assert!(differs.is_empty(), "seed {seed}: {differs:#?}");
        assert_eq!(live.people(), Live::people_in(&text), "seed {seed}");
        assert!(live.has_names_of(&pond.store()).await, "seed {seed}");
        assert!(live.has_eggs_of(&pond.store()).await, "seed {seed}");
        let sentences = repairs.sentences();
        // Of both, what the export holds is right, and what follows from it was not read again.
        let harmless = |text: &String| {
            text.contains("newest certificate") || text.contains("missing among the people")
        };
        assert!(sentences.iter().all(harmless), "seed {seed}: {sentences:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_galaxy_that_never_rests_still_fits_together() {
    for seed in 1..=4 {
        let live = Live::new(seed, usize::MAX).await;
        let text = exported(&live).await;
        let (_folder, pond, _) = imported(&text);
        sound(&pond.store(), live.now(), &format!("seed {seed}")).await;
    }
}

/// Into AWS and out of it, with the same eyes.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_into_aws_is_the_same_galaxy() {
    for seed in 1..=3 {
        let live = Live::new(seed, 30).await;
        let text = exported(&live).await;
        let aws = account();
        install(&aws).await.unwrap();
        let (job, _) = job(&aws, Goal::Present, "a").await.unwrap();
        let source = spaceduck::execute::source(&job).await.unwrap();
        let told = Reader::new(text.as_bytes()).finish().unwrap();
        let folder = pond::folder();
        let spool = Spool::fill(text.as_bytes(), folder.path()).unwrap();
        let note = spaceduck::catalog::import_path(&job.facts.config.name);
        let mut progress = Progress::look(&job.world, &note, &told.sha256).await.unwrap();
        let secret = || Ok(Secret::new("nobody knows it".into()));
        archive::restore(&job.world, &source, &spool, &mut progress, secret).await.unwrap();
        let mut lines = Lines::default();
        let (records, now) = (job.world.records.as_ref(), live.seconds());
        archive::write(records, &source, now, &mut lines).await.unwrap();
        let (_folder, pond, repairs) = imported(&lines.0);
        let wanted = compared(&live.store(), &live).await;
        let differs = differences(&compared(&pond.store(), &live).await, &wanted);
        assert!(differs.is_empty(), "seed {seed}: {differs:#?}");
        assert_eq!(Live::people_in(&lines.0), live.people(), "seed {seed}");
        assert!(repairs.sentences().is_empty(), "{:?}", repairs.sentences());
    }
}

/// What is not the same, as it is and as it should be.
fn differences(
    found: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> Vec<(String, [Option<String>; 2])> {
    let about: BTreeSet<&String> = found.keys().chain(wanted.keys()).collect();
    let both = about.into_iter().map(|key| (key, [found.get(key), wanted.get(key)]));
    let differs = both.filter(|(_, [found, wanted])| found != wanted);
    differs.map(|(key, both)| (key.clone(), both.map(Option::<&String>::cloned))).collect()
}

/// What happens right after each read of an export, one deed at a time.
async fn at_each_moment(deed: Deed) {
    let reads = {
        let live = Live::calm().await;
        exported(&live).await;
        live.reads()
    };
    assert!(reads > 25, "{reads} reads");
    // Two of three: each table and each round has several.
    for moment in (0..=reads).filter(|moment| moment % 3 != 1) {
        let live = Live::calm().await;
        live.at(moment, deed);
        let text = exported(&live).await;
        if live.left() > 0 {
            live.act(deed).await;
        }
        let (_folder, pond, _) = imported(&text);
        let what = format!("{deed:?} at read {moment} of {reads}");
        let found = compared(&pond.store(), &live).await;
        let wanted = live.before_and_after().await;
        let differs = wanted.map(|wanted| differences(&found, &wanted));
        assert!(differs.iter().any(Vec::is_empty), "{what}: {differs:#?}");
        sound(&pond.store(), live.now(), &what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hatch_in_between_locks_nobody_out() {
    at_each_moment(Deed::Hatch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_in_between_makes_a_bond_that_ends() {
    at_each_moment(Deed::Approve).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_in_between_leaves_nothing_of_a_duckling() {
    at_each_moment(Deed::Delete).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpeck_in_between_ends_a_bond_on_both_sides() {
    at_each_moment(Deed::Unpeck).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_rotated_in_between_opens_its_duckling() {
    at_each_moment(Deed::Rotate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_in_between_is_whole() {
    at_each_moment(Deed::Suspend).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_galaxy_that_rests_arrives_without_a_repair() {
    let live = Live::calm().await;
    let text = exported(&live).await;
    let (_folder, pond, repairs) = imported(&text);
    assert_eq!(repairs, Repairs::default());
    let metrics = pond.store().metrics(live.now()).await.unwrap();
    assert!(metrics.connections > 0 && metrics.eggs > 0, "{metrics:?}");
    assert!(metrics.pecks[0] > 0, "{metrics:?}");
}
