//! Whatever others have in the account, under any name that a galaxy might use, no command
//! changes it; and what a galaxy owns, it owns by two proofs.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::sync::Arc;

use spaceduck::failure::{Failure, Kind};
use spaceduck::identity::{self, Subject};
use spaceduck::model::{AccountId, GalaxyName, ID_TAG, Place, Region, Stack, TAG, Tags};
use spaceduck::plan::{self, Goal};
use spaceduck::ports::{Claim, Mode, Proposal};
use spaceduck::rehearse::{Account, Foreign, Meddling};
use spaceduck::{catalog, drift, execute, release};

use galaxy::*;

const RECORD: &str = "/_spaceduck/galaxies/spaceduck/record";

fn name() -> GalaxyName {
    GalaxyName::parse("spaceduck").unwrap()
}

fn subject(home: &str) -> Subject {
    Subject {
        galaxy: name(),
        account: AccountId::parse("111122223333").unwrap(),
        home: Region::parse(home).unwrap(),
    }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn stack(place: Place, name: &str, protected: bool, tags: Tags) -> Foreign {
    let body = format!(
        "Resources:\n  Orders:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      \
         TableName: {name}-orders\n"
    );
    let proposal = Proposal {
        place,
        name: name.to_owned(),
        body,
        parameters: BTreeMap::new(),
        secrets: BTreeMap::new(),
        tags,
        role: None,
        mode: Mode::Plain,
        express: true,
        token: None,
    };
    Foreign::Stack(Box::new(proposal), protected)
}

/// Something of every kind, under every name that a galaxy might use.
fn strangers() -> Vec<(String, Foreign)> {
    let (galaxy, of) = (name(), subject("eu-central-1"));
    let mut all = Vec::new();
    for (number, one) in Stack::all().into_iter().enumerate() {
        let (place, full) = (one.place(), one.name(&galaxy));
        let foreign = stack(place, &full, number % 2 == 0, Tags::new());
        all.push((format!("stack:{one}"), foreign));
        if let Some(bucket) = catalog::bucket(one, &galaxy, &of.account, &of.home) {
            all.push((format!("bucket:{one}"), Foreign::Bucket(place, bucket, Tags::new())));
        }
    }
    for (table, full) in catalog::tables(&galaxy) {
        let keys = vec!["order N HASH".to_owned()];
        all.push((format!("table:{table}"), Foreign::Table(full, keys, Tags::new())));
    }
    for path in catalog::parameters(&galaxy) {
        let thing = format!("parameter:{}", path.trim_start_matches("/spaceduck/"));
        all.push((thing, Foreign::Parameter(path, "theirs".into(), Tags::new())));
    }
    all
}

/// What came into the account with a stranger.
fn settle(account: &Account, foreign: Foreign) -> BTreeMap<String, String> {
    let before = account.dump();
    account.settle(foreign);
    account.dump().into_iter().filter(|(key, value)| before.get(key) != Some(value)).collect()
}

fn untouched(account: &Account, theirs: &BTreeMap<String, String>, what: &str) {
    let now = account.dump();
    for (key, value) in theirs {
        assert!(now.get(key) == Some(value), "{what}: {key} was changed or is gone");
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Upgrade,
    Rollback,
    Teardown,
    KeepData,
    KeepDataThenInstall,
    Repair,
    Import,
}

/// What another galaxy has exported: a row for every table, and a person.
async fn exported() -> String {
    let account = account();
    install(&account).await.unwrap();
    for (table, item) in ["ducklings", "certs"].into_iter().zip(duckling("swan")) {
        account.remember(&catalog::tables(&name())[table], item);
    }
    account.sign_up("UserPoolId-of-spaceduck-auth", "swan@example.com");
    let (job, _) = job(&account, Goal::Present, "a").await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("galaxy.jsonl");
    let source = execute::source(&job).await.unwrap();
    execute::to_file(&job, &source, &spaceduck::files::Target::new(&file)).await.unwrap();
    std::fs::read_to_string(&file).unwrap()
}

async fn repair(account: &Arc<Account>) -> Result<(), Failure> {
    let (looking, observed) = job(account, Goal::Present, "a").await?;
    let bucket = catalog::bucket(Stack::Bootstrap, &name(), &looking.account, &looking.home);
    let assets = looking.world.assets.as_ref();
    let record = release::look(assets, &bucket.unwrap(), None).await?;
    let job = drift::view(&looking, &observed.stacks, &record);
    let found = drift::inspect(&job, &observed.stacks, &record).await?;
    for (_, extra) in drift::extras(&found, &[]) {
        job.world.inspection.remove(extra).await?;
    }
    Ok(execute::run(&drift::repair(&found, &[]), &job).await?)
}

async fn import(account: &Arc<Account>) -> Result<(), Failure> {
    let (job, _) = job(account, Goal::Present, "a").await?;
    restored(&job, &exported().await).await
}

impl Act {
    async fn run(self, account: &Arc<Account>) -> Result<(), Failure> {
        match self {
            Self::Upgrade => reach(account, Goal::Present, "b").await.map(|_| ()),
            Self::Rollback => go_back_to(account, Some("a")).await,
            Self::Teardown => tear_down(account).await.map(|_| ()),
            Self::KeepData => reach(account, Goal::DataOnly, "a").await.map(|_| ()),
            Self::KeepDataThenInstall => {
                // Whether or not the first goes through, the second must not touch them either.
                let _ = reach(account, Goal::DataOnly, "a").await;
                install(account).await.map(|_| ())
            }
            Self::Repair => repair(account).await,
            Self::Import => import(account).await,
        }
    }

    fn refuses(self) -> bool {
        matches!(self, Self::Upgrade | Self::KeepDataThenInstall)
    }
}

/// The first installation: refused before its first effect, with the stranger named.
#[tokio::test]
async fn an_installation_refuses_every_stranger_of_a_fitting_name() {
    for (thing, foreign) in strangers() {
        let account = account();
        let theirs = settle(&account, foreign);
        let failure = install(&account).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Refused, "{thing}: {}", failure.to_text());
        let text = failure.to_text();
        assert!(text.contains(&thing) && text.contains("spaceduck adopt"), "{thing}: {text}");
        assert_eq!(account.log(), Vec::<String>::new(), "{thing}");
        untouched(&account, &theirs, &thing);
        assert_eq!(tear_down(&account).await.unwrap(), 0, "{thing}");
        untouched(&account, &theirs, &thing);
    }
}

/// Something of the galaxy's is gone, and a stranger has taken its name.
#[tokio::test]
async fn no_command_touches_a_stranger_that_has_taken_a_name() {
    let acts = [
        Act::Upgrade,
        Act::Rollback,
        Act::Teardown,
        Act::KeepData,
        Act::KeepDataThenInstall,
        Act::Repair,
        Act::Import,
    ];
    for (thing, foreign) in strangers() {
        for act in acts {
            let account = account();
            install(&account).await.unwrap();
            if matches!(act, Act::Rollback) {
                reach(&account, Goal::Present, "b").await.unwrap();
            }
            // Its stack goes first: what belongs to a stack that is there is no loose thing.
            let of_stack = thing.split_once(':').unwrap().1;
            let gone = if thing.starts_with("table:") { "data" } else { of_stack };
            account.put(&format!("spaceduck-{gone}"), "DELETE_COMPLETE", &[]);
            let theirs = settle(&account, foreign.clone());
            let before = account.log().len();
            let result = act.run(&account).await;
            untouched(&account, &theirs, &format!("{act:?} {thing}"));
            if act.refuses() && !matches!(act, Act::KeepDataThenInstall) {
                let failure = result.unwrap_err();
                assert_eq!(failure.kind, Kind::Refused, "{thing}: {}", failure.to_text());
                assert_eq!(account.log().len(), before, "{act:?} {thing}");
            }
        }
    }
}

/// A tag can be copied: without the record it is no proof.
#[tokio::test]
async fn a_forged_tag_is_one_proof_and_not_two() {
    let account = account();
    install(&account).await.unwrap();
    let record = identity::load(&account.world(), &name()).await.unwrap().unwrap();
    let forged = tags(&[(TAG, "spaceduck"), (ID_TAG, &record.id)]);
    let place = Stack::ApiDomain.place();
    let theirs = settle(&account, stack(place, "spaceduck-api-domain", true, forged.clone()));
    let certificate = Foreign::Certificate(Place::Edge, "docs.example.org".into(), forged.clone());
    let proof = settle(&account, certificate);
    let failure = reach(&account, Goal::Present, "b").await.unwrap_err();
    assert!(failure.to_text().contains("not on the galaxy's record"), "{}", failure.to_text());
    tear_down(&account).await.unwrap();
    untouched(&account, &theirs, "stack");
    untouched(&account, &proof, "certificate");
}

/// On record and without its mark: it is told, it stays, and so does the role it needs.
#[tokio::test]
async fn what_is_on_record_without_its_tag_stays() {
    let account = account();
    install(&account).await.unwrap();
    account.retag("spaceduck-mail", &Tags::new());
    let (_, observed) = job(&account, Goal::Absent, "a").await.unwrap();
    let found: Vec<_> = observed.strangers.iter().map(|one| (&*one.thing, one.recorded)).collect();
    assert_eq!(found, [("stack:mail", true)]);
    tear_down(&account).await.unwrap();
    let left: Vec<String> =
        account.contents().into_keys().filter(|key| key.starts_with("stack")).collect();
    assert_eq!(left, ["stack spaceduck-bootstrap", "stack spaceduck-mail"]);
    assert!(account.contents().contains_key(&format!("entry {RECORD}")), "the record stays, too");
}

#[tokio::test]
async fn tags_that_may_not_be_read_forbid_a_deletion_and_name_the_right() {
    for action in ["s3:GetBucketTagging", "dynamodb:ListTagsOfResource", "ssm:ListTagsForResource"]
    {
        let account = account();
        install(&account).await.unwrap();
        account.deny(action);
        let failure = tear_down(&account).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Access, "{action}");
        assert!(failure.to_text().contains(action), "{}", failure.to_text());
        assert!(account.contents().contains_key("stack spaceduck-bootstrap"), "{action}");
    }
}

/// A crowd: two hundred stacks and a thousand other things of others.
#[tokio::test]
async fn a_crowded_account_stays_as_it_is() {
    let account = account();
    let mut theirs = BTreeMap::new();
    for number in 0..200 {
        let place = if number % 2 == 0 { Place::Home } else { Place::Edge };
        let foreign = stack(place, &format!("my-spaceduck-{number}"), true, Tags::new());
        theirs.extend(settle(&account, foreign));
    }
    for number in 0..500 {
        let bucket = format!("spaceduck-theirs-{number}");
        theirs.extend(settle(&account, Foreign::Bucket(Place::Home, bucket, Tags::new())));
        let table = format!("spaceduck-theirs-{number}");
        theirs.extend(settle(&account, Foreign::Table(table, Vec::new(), Tags::new())));
    }
    install(&account).await.unwrap();
    reach(&account, Goal::Present, "b").await.unwrap();
    tear_down(&account).await.unwrap();
    untouched(&account, &theirs, "crowd");
    assert_eq!(account.dump(), theirs);
}

#[tokio::test]
async fn a_galaxy_from_before_records_gets_one_when_its_name_is_typed() {
    for missing in [&[][..], &["api", "site-duckgalaxy"], &["data"], &["auth", "mail", "data"]] {
        let account = account();
        install(&account).await.unwrap();
        let table = "spaceduck-ducklings";
        account.remember(table, serde_json::json!({"duckling_id": {"S": "dkl_swan"}}));
        account.before_records();
        for stack in missing {
            account.put(&format!("spaceduck-{stack}"), "DELETE_COMPLETE", &[]);
        }
        let before = (account.dump(), account.log().len());
        let failure = install(&account).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Refused, "{}", failure.to_text());
        assert!(failure.to_text().contains("--confirm spaceduck"), "{}", failure.to_text());
        assert_eq!((account.dump(), account.log().len()), before, "{missing:?}");
        assert!(reach_typed(&account, Goal::Present).await.unwrap() > 0);
        assert_eq!(account.held(table).len(), 1, "the data is still there");
        assert_eq!(install(&account).await.unwrap(), 0, "{missing:?}");
        tear_down(&account).await.unwrap();
        assert_eq!(account.contents(), BTreeMap::new(), "{missing:?}");
    }
}

#[tokio::test]
async fn the_first_stack_alone_and_what_was_kept_are_taken_up_as_well() {
    let account = account();
    install(&account).await.unwrap();
    reach(&account, Goal::DataOnly, "a").await.unwrap();
    account.before_records();
    let (_, observed) = job(&account, Goal::Present, "a").await.unwrap();
    assert!(matches!(observed.claim, Claim::Unrecorded(_)), "{:?}", observed.claim);
    assert!(reach_typed(&account, Goal::Present).await.unwrap() > 0);
    assert_eq!(install(&account).await.unwrap(), 0);
    account.before_records();
    assert!(reach_typed(&account, Goal::Absent).await.unwrap() > 0, "a removal needs no install");
    assert_eq!(account.contents(), BTreeMap::new());
}

/// A stack without a record, of the right name and tag, that works with another role.
#[tokio::test]
async fn a_stack_of_another_role_is_not_taken_over() {
    let account = account();
    install(&account).await.unwrap();
    account.before_records();
    account.put("spaceduck-mail", "DELETE_COMPLETE", &[]);
    let copied = tags(&[(TAG, "spaceduck")]);
    let theirs = settle(&account, stack(Place::Home, "spaceduck-mail", true, copied));
    let failure = reach_typed(&account, Goal::Present).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused, "{}", failure.to_text());
    untouched(&account, &theirs, "install");
    reach_typed(&account, Goal::Absent).await.unwrap();
    untouched(&account, &theirs, "teardown");
}

/// One name, two Regions: the second does nothing and says where the first is.
#[tokio::test]
async fn a_command_in_another_region_says_where_the_galaxy_lives() {
    let account = account();
    install(&account).await.unwrap();
    let before = account.dump();
    let refused = identity::guard_at_home(account.world(), subject("us-west-2")).await;
    let Err(failure) = refused else { panic!("it was let in") };
    assert_eq!(failure.kind.exit_code(), 3);
    assert!(failure.to_text().contains("lives in eu-central-1"), "{}", failure.to_text());
    // From before there were records, only its sites are seen from there.
    account.before_records();
    for stack in Stack::all().into_iter().filter(|stack| stack.place() == Place::Home) {
        account.put(&stack.name(&name()), "DELETE_COMPLETE", &[]);
    }
    let abroad = identity::guard_at_home(account.world(), subject("us-west-2")).await.unwrap();
    let failure = abroad.ownership.survey().await.unwrap_err();
    assert!(failure.to_text().contains("lives in eu-central-1"), "{}", failure.to_text());
    let sites = |dump: BTreeMap<String, String>| -> Vec<String> {
        dump.into_keys().filter(|key| key.contains("site-")).collect()
    };
    assert_eq!(sites(account.dump()), sites(before));
}

/// Two galaxies of one name from before there were records share the sites in us-east-1, which were
/// last made for one of them.
#[tokio::test]
async fn of_two_old_galaxies_of_one_name_only_one_has_the_sites() {
    let account = account();
    install(&account).await.unwrap();
    account.before_records();
    for stack in Stack::all().into_iter().filter(|stack| stack.place() == Place::Edge) {
        let name = stack.name(&name());
        let Some(_) = account.world().stacks.find(Place::Edge, &name).await.unwrap() else {
            continue;
        };
        let body = account.world().stacks.template(Place::Edge, &name).await.unwrap();
        let theirs = body.replace("execute-api.eu-central-1.", "execute-api.us-west-2.");
        assert_ne!(theirs, body, "{name}");
        account.meddle(Meddling::Template(name, theirs));
    }
    let mut sites = account.dump();
    sites.retain(|key, _| key.contains(" Edge "));
    assert!(sites.len() >= 10, "{sites:?}");
    let failure = reach_typed(&account, Goal::Present).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused, "{}", failure.to_text());
    assert!(failure.to_text().contains("lives in us-west-2"), "{}", failure.to_text());
    untouched(&account, &sites, "install");
    reach_typed(&account, Goal::Absent).await.unwrap();
    untouched(&account, &sites, "teardown");
    let home = |key: &&String| key.starts_with("stack Home ");
    assert_eq!(account.dump().keys().filter(home).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn a_table_is_adopted_only_if_its_key_fits_and_deleted_only_if_it_is_named() {
    let world = |account: &Arc<Account>| guarded(account, &name());
    let things = vec!["table:eggs".to_owned()];
    let account = account();
    let table =
        |keys: &str| Foreign::Table("spaceduck-eggs".into(), vec![keys.to_owned()], Tags::new());
    account.settle(table("order N HASH"));
    let failure = world(&account).ownership.fit(&things).await.unwrap_err();
    assert!(failure.to_text().contains("order N HASH"), "{}", failure.to_text());
    assert!(world(&account).ownership.adopt(&things).await.is_err());
    account.settle(table("email S HASH"));
    assert_eq!(world(&account).ownership.fit(&things).await.unwrap().len(), 1);
    world(&account).ownership.adopt(&things).await.unwrap();
    install(&account).await.unwrap();
    assert_eq!(account.held("spaceduck-eggs").len(), 1, "what was in it is still there");
    let failure = tear_down(&account).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused, "{}", failure.to_text());
    assert!(failure.to_text().contains("--adopted table:eggs"), "{}", failure.to_text());
    assert_eq!(account.held("spaceduck-eggs").len(), 1);
    let (job, observed) = job(&account, Goal::Absent, "a").await.unwrap();
    job.world.ownership.release(things.into_iter().collect()).await;
    let plan = plan::plan(Goal::Absent, &observed, &job.rendered);
    spaceduck::execute::run(&plan, &job).await.map_err(Failure::from).unwrap();
    assert_eq!(account.contents(), BTreeMap::new());
}

#[tokio::test]
async fn a_garbled_record_stops_a_command_and_is_a_row_of_the_list() {
    let account = account();
    install(&account).await.unwrap();
    account.garble(RECORD, "{");
    let before = account.dump();
    let failure = tear_down(&account).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused, "{}", failure.to_text());
    assert!(failure.to_text().contains(RECORD), "{}", failure.to_text());
    assert_eq!(account.dump(), before);
    let rows = identity::galaxies(&account.world()).await.unwrap();
    assert!(matches!(rows["spaceduck"], identity::Row::Broken(_)));
    account.garble(RECORD, r#"{"version":99}"#);
    let failure = tear_down(&account).await.unwrap_err();
    assert!(failure.to_text().contains("newer spaceduck"), "{}", failure.to_text());
}
