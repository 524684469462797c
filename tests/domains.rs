//! Domains in an account in memory: certificates that take their time or never come, domains that
//! are attached when they may be, and nothing else that waits for them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod galaxy;
mod terminal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use galaxy_mail::judge::State;
use galaxy_mail::name::Domain;
use galaxy_sites::Site;
use spaceduck::catalog;
use spaceduck::domains;
use spaceduck::drift::{self, Finding};
use spaceduck::execute;
use spaceduck::model::{CertificateState, Front, GalaxyName, Place, Stack};
use spaceduck::plan::{self, Action, Goal, StepId};
use spaceduck::ports::Clock as _;
use spaceduck::rehearse::{Account, Cut, Fate, Hiccup};
use spaceduck::release::Record;

use galaxy::*;

const TWO: &str = "domains:\n  duckgalaxy: docs.example.org\n  api: api.example.org\n";
const DAY: u64 = 86_400;

fn name(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

async fn install_with(account: &Arc<Account>, yaml: &str) -> usize {
    reach_of(account, Goal::Present, "a", yaml).await.unwrap_or_else(|f| panic!("{}", f.to_text()))
}

async fn pass(account: &Arc<Account>, seconds: u64) {
    account.sleep(Duration::from_secs(seconds)).await;
}

/// The proving record of a domain, and the one that leads to it, are not there.
fn nobody_sets_records(account: &Account, domains: &[&str]) {
    for domain in domains {
        let proof = name(domain).below("_3f1c0a9b").unwrap();
        account.set_record(&proof, "CNAME", State::Missing);
        account.set_record(&name(domain), "CNAME", State::Missing);
    }
}

fn somebody_sets_records(account: &Account, domains: &[&str]) {
    for domain in domains {
        let proof = name(domain).below("_3f1c0a9b").unwrap();
        account.set_record(&proof, "CNAME", State::Right);
        account.set_record(&name(domain), "CNAME", State::Right);
    }
}

/// What a page of a site is told.
async fn told(account: &Arc<Account>, yaml: &str, site: Site) -> serde_json::Value {
    let (job, _) = job_of(account, Goal::Present, "a", yaml).await.unwrap();
    let bucket = job.output(Stack::Site(site), "BucketName").unwrap();
    let read = job.world.assets.read(Place::Edge, &bucket, "config.json").await;
    serde_json::from_slice(&read.unwrap().unwrap()).unwrap()
}

async fn hsts(account: &Arc<Account>, site: Site) -> bool {
    let name = format!("spaceduck-site-{}", site.name());
    let body = account.world().stacks.template(Place::Edge, &name).await.unwrap();
    body.contains("31536000")
}

#[tokio::test]
async fn a_galaxy_is_up_while_its_domains_wait() {
    let account = account();
    nobody_sets_records(&account, &["docs.example.org", "api.example.org"]);
    assert!(install_with(&account, TWO).await > 0);
    pass(&account, DAY).await;
    assert_eq!(install_with(&account, TWO).await, 0, "nothing to do but wait");
    let (job, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let waits = &observed.domains.seen[&Front::Api];
    let certificate = waits.certificate.as_ref().unwrap();
    assert_eq!(certificate.state, CertificateState::Waiting);
    assert!(certificate.proof.is_some(), "the person can be told what to set");
    assert!(!observed.stacks.contains_key(&Stack::ApiDomain));
    for url in execute::urls(&job).unwrap() {
        assert!(!url.url.contains("example.org"), "{url:?}");
    }
    let told = told(&account, TWO, Site::DuckGalaxy).await.to_string();
    assert!(!told.contains("example.org"), "{told}");
}

#[tokio::test]
async fn a_domain_is_attached_when_issued_and_told_when_it_answers() {
    let account = account();
    let both = ["docs.example.org", "api.example.org"];
    nobody_sets_records(&account, &both);
    install_with(&account, TWO).await;
    // The proof alone: issued and attached, but no name leads there yet.
    for domain in both {
        account.set_record(&name(domain).below("_3f1c0a9b").unwrap(), "CNAME", State::Right);
    }
    install_with(&account, TWO).await;
    pass(&account, 600).await;
    assert!(install_with(&account, TWO).await > 0);
    let (job, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let api = &observed.stacks[&Stack::ApiDomain].outputs;
    assert_eq!(api[catalog::ATTACHED_DOMAIN], "api.example.org");
    let site = Stack::Site(Site::DuckGalaxy);
    let body = job.world.stacks.template(Place::Edge, "spaceduck-site-duckgalaxy").await.unwrap();
    assert!(body.contains("docs.example.org") && body.contains("sni-only"), "{body}");
    assert_eq!(observed.stacks[&site].outputs[catalog::ATTACHED_DOMAIN], "docs.example.org");
    let other = account.world().stacks.template(Place::Edge, "spaceduck-site-duckcontrol").await;
    assert!(other.unwrap().contains("CloudFrontDefaultCertificate"));
    // Captchas may be solved on both names; nobody is sent to one that does not answer.
    let hosts = job.world.secrets.read("/spaceduck/turnstile-hostnames").await.unwrap().unwrap();
    let hosts: Vec<&str> = hosts.expose().split(',').collect();
    assert_eq!(hosts.len(), 6);
    assert!(hosts.contains(&"docs.example.org"));
    let told_before = told(&account, TWO, Site::DuckControl).await.to_string();
    assert!(!told_before.contains("example.org"), "{told_before}");
    somebody_sets_records(&account, &both);
    assert!(install_with(&account, TWO).await > 0);
    let told_after = told(&account, TWO, Site::DuckControl).await;
    assert_eq!(told_after["api_base"], "https://api.example.org/prod");
    assert_eq!(told_after["sites"]["duckgalaxy"], "https://docs.example.org");
    assert_eq!(install_with(&account, TWO).await, 0);
}

/// What another account has, AWS tells only when it refuses: with the cause and a cure, the galaxy
/// still under its CloudFront names, and nothing left behind that is in the way later.
#[tokio::test]
async fn a_domain_that_another_account_has_is_told_with_its_cure_and_attached_once_it_is_free() {
    let account = account();
    let docs = name("docs.example.org");
    account.take_elsewhere(&docs, true);
    somebody_sets_records(&account, &["docs.example.org", "api.example.org"]);
    let mut refused = 0;
    for _ in 0..4 {
        let reached = reach_of(&account, Goal::Present, "a", TWO).await;
        pass(&account, 600).await;
        let Err(failure) = reached else { continue };
        refused += 1;
        let text = failure.to_text();
        assert_eq!(failure.kind, spaceduck::failure::Kind::Settled, "{text}");
        assert!(text.contains("another distribution, perhaps in another account"), "{text}");
        assert!(text.contains("help: take the domain off that distribution"), "{text}");
    }
    assert!(refused >= 2, "{refused}");
    let (job, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let urls = execute::urls(&job).unwrap();
    let site = urls.iter().find(|url| url.name == "duckgalaxy").unwrap();
    assert!(site.url.ends_with(".cloudfront.net"), "{site:?}");
    assert!(observed.domains.seen[&Front::Api].attached, "others do not wait for it");
    account.take_elsewhere(&docs, false);
    install_with(&account, TWO).await;
    let (_, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    assert!(observed.domains.seen[&Front::Site(Site::DuckGalaxy)].attached);
}

#[tokio::test]
async fn browsers_insist_on_tls_for_a_year_only_after_a_day_of_service() {
    let account = account();
    for _ in 0..4 {
        install_with(&account, TWO).await;
        pass(&account, 600).await;
    }
    let (_, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    assert!(observed.domains.seen.values().all(|served| served.since.is_some()));
    assert!(!hsts(&account, Site::DuckGalaxy).await);
    assert_eq!(install_with(&account, TWO).await, 0);
    pass(&account, DAY - 3_600).await;
    assert_eq!(install_with(&account, TWO).await, 0, "not a day yet");
    pass(&account, 3_600).await;
    assert!(install_with(&account, TWO).await > 0);
    assert!(hsts(&account, Site::DuckGalaxy).await);
    assert!(!hsts(&account, Site::DuckControl).await, "it has no domain");
    // A hiccup does not lower it again: browsers remember it anyway.
    account.set_record(&name("docs.example.org"), "CNAME", State::Missing);
    assert_eq!(install_with(&account, TWO).await, 0);
}

#[tokio::test]
async fn a_certificate_that_amazon_refuses_is_asked_for_anew_and_the_old_one_goes() {
    let account = account();
    let domain = name("docs.example.org");
    account.destine(&domain, Fate::Refused("CAA".into()));
    assert!(install_with(&account, TWO).await > 0);
    let (job, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let front = Front::Site(Site::DuckGalaxy);
    let plan = plan::plan(Goal::Present, &observed, &job.rendered);
    let step = plan.steps.iter().find(|step| step.id == StepId::Certificate(front)).unwrap();
    assert_eq!(step.action, Action::Recreate("CAA".into()));
    assert!(domains::standing(&observed.domains, front).contains("CAA"));
    account.destine(&domain, Fate::Issued);
    let asked = |log: &[String]| {
        log.iter().filter(|done| *done == "request a certificate for docs.example.org").count()
    };
    assert_eq!(asked(&account.log()), 1);
    // The person mends the record; a run that had seen the failure asks once more.
    execute::run(&plan, &job).await.unwrap();
    for _ in 0..3 {
        pass(&account, 600).await;
        install_with(&account, TWO).await;
    }
    let (_, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    assert!(observed.domains.seen[&front].attached);
    let kept = account.contents().into_keys().filter(|what| what.starts_with("certificate"));
    assert_eq!(kept.count(), 2);
}

#[tokio::test]
async fn after_72_hours_without_its_record_a_certificate_is_asked_for_again() {
    let account = account();
    nobody_sets_records(&account, &["docs.example.org", "api.example.org"]);
    install_with(&account, TWO).await;
    pass(&account, 72 * 3_600 - 1_000).await;
    assert_eq!(install_with(&account, TWO).await, 0);
    pass(&account, 2_000).await;
    assert!(install_with(&account, TWO).await >= 2);
    let (_, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    for served in observed.domains.seen.values() {
        assert_eq!(served.certificate.as_ref().unwrap().state, CertificateState::Waiting);
    }
    // What failed goes at the next run.
    install_with(&account, TWO).await;
    let log = account.log();
    let removed = log.iter().filter(|done| done.starts_with("remove arn:aws:acm")).count();
    assert_eq!(removed, 2, "{log:#?}");
}

#[tokio::test]
async fn an_expired_certificate_stays_at_work_until_the_next_one_is_there() {
    let account = account();
    for _ in 0..4 {
        install_with(&account, TWO).await;
        pass(&account, 600).await;
    }
    account.destine(&name("docs.example.org"), Fate::Over("it has expired".into()));
    let (_, observed) = job_of(&account, Goal::Present, "a", TWO).await.unwrap();
    let served = &observed.domains.seen[&Front::Site(Site::DuckGalaxy)];
    assert!(served.attached && served.usable.is_some());
}

#[tokio::test]
async fn a_domain_that_is_no_longer_wanted_is_taken_off() {
    let account = account();
    for _ in 0..4 {
        install_with(&account, TWO).await;
        pass(&account, 600).await;
    }
    for _ in 0..3 {
        install_with(&account, "").await;
    }
    let log = account.log();
    assert!(log.iter().any(|done| done == "delete spaceduck-api-domain"), "{log:#?}");
    let left: Vec<String> =
        account.contents().into_keys().filter(|what| what.contains("certificate")).collect();
    assert_eq!(left, Vec::<String>::new());
    let told = told(&account, "", Site::DuckGalaxy).await.to_string();
    assert!(!told.contains("example.org"), "{told}");
    assert_eq!(install_with(&account, "").await, 0);
}

#[tokio::test]
async fn a_removal_takes_certificates_along_and_says_what_stays() {
    let account = account();
    for _ in 0..4 {
        install_with(&account, TWO).await;
        pass(&account, 600).await;
    }
    assert!(reach_of(&account, Goal::Absent, "a", TWO).await.unwrap() > 0);
    assert_eq!(account.contents(), BTreeMap::new());
    assert_eq!(reach_of(&account, Goal::Absent, "a", TWO).await.unwrap(), 0);
    // One that somebody works with elsewhere stays, and all else goes.
    install_with(&account, TWO).await;
    account.hold(&name("docs.example.org"));
    // Whoever removes need not have the file that it was installed with.
    assert!(reach_of(&account, Goal::Absent, "a", "").await.unwrap() > 0);
    let left: Vec<String> = account.contents().into_keys().collect();
    assert_eq!(left, ["certificate docs.example.org"]);
}

#[tokio::test]
async fn going_back_leaves_the_domains_alone() {
    let account = account();
    for _ in 0..4 {
        install_with(&account, TWO).await;
        pass(&account, 600).await;
    }
    reach_of(&account, Goal::Present, "b", TWO).await.unwrap();
    let before = account.log().len();
    go_back_to(&account, Some("a")).await.unwrap();
    let done = account.log().split_off(before);
    let touched =
        done.iter().filter(|d| d.contains("api-domain") || d.contains("apply spaceduck-site"));
    assert_eq!(touched.count(), 0, "{done:#?}");
}

/// What drift finds, as kind of item and state.
async fn drift(account: &Arc<Account>) -> Vec<(String, String)> {
    let (job, observed) = job_of(account, Goal::Present, "a", TWO).await.unwrap();
    let manifest = observed.current.clone().unwrap();
    let found = drift::inspect(&job, &observed.stacks, &Record::whole(manifest)).await.unwrap();
    let ours = found.into_iter().filter(Finding::is_drift);
    ours.map(|one| (one.item(), one.detail)).collect()
}

#[tokio::test]
async fn drift_tells_of_certificates_records_and_silence() {
    let account = account();
    install_with(&account, TWO).await;
    assert_eq!(drift(&account).await, [], "waiting is no drift");
    for _ in 0..3 {
        pass(&account, 600).await;
        install_with(&account, TWO).await;
    }
    assert_eq!(drift(&account).await, [], "certificates belong to no stack and are no strays");
    account.set_record(&name("docs.example.org"), "CNAME", State::Missing);
    let items: Vec<String> = drift(&account).await.into_iter().map(|(item, _)| item).collect();
    assert_eq!(items, ["domains/duckgalaxy", "record/docs.example.org"]);
    account.set_record(&name("docs.example.org"), "CNAME", State::Right);
    account.destine(&name("api.example.org"), Fate::Over("it has expired".into()));
    let found = drift(&account).await;
    assert_eq!(found, [("domains/api".to_owned(), "it has expired".to_owned())]);
    account.destine(&name("api.example.org"), Fate::Issued);
    pass(&account, 180 * DAY).await;
    let found = drift(&account).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].1.contains("days and was not renewed"), "{found:?}");
}

/// The real program, in rehearsal.
fn spaceduck(yaml: &str, words: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("galaxy.yaml");
    std::fs::write(&path, yaml).unwrap();
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_spaceduck"));
    program.current_dir(folder.path()).args(["--rehearse", "--config"]).arg(&path).args(words);
    let output = program.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_sheet_has_every_record_of_everything_as_table_zone_file_and_json() {
    let yaml = format!("region: eu-central-1\nmail:\n  domain: example.org\n{TWO}");
    let (code, json, _) = spaceduck(&yaml, &["domains", "--zone", "zone", "--json"]);
    assert_eq!(code, 7, "{json}");
    let lines = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let records: Vec<serde_json::Value> =
        lines.filter(|line| line.to_string().contains("\"purpose\"")).collect();
    for purpose in ["certificate", "DKIM", "MAIL FROM", "SPF", "DMARC", "site"] {
        let has = records.iter().any(|record| record["purpose"] == purpose);
        assert!(has, "{purpose}: {json}");
    }
    let zone = records.iter().filter(|record| record["zone"] == "example.org").count();
    assert_eq!(zone, records.len());
    let (code, told, people) = spaceduck(&yaml, &["domains"]);
    assert_eq!(code, 7, "{people}");
    assert!(told.contains("docs.example.org") && told.contains("acm-validations"), "{told}");
    assert!(people.contains("once its certificate is issued"), "{people}");
    let (code, _, people) = spaceduck("name: pond\n", &["domains"]);
    assert_eq!(code, 1);
    assert!(people.contains("set one under `domains`"), "{people}");
}

/// Certificates are asked for side by side, and none of them is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn certificates_that_are_asked_for_at_once_are_all_there() {
    let account = account();
    let galaxy = GalaxyName::parse("spaceduck").unwrap();
    let mut asking = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (world, galaxy) = (account.world(), galaxy.clone());
        asking.spawn(async move {
            let domain = name(&format!("duck{number}.example.org"));
            let (token, tags) = (number.to_string(), catalog::tags(&galaxy));
            world.certificates.ours(Place::Edge, &galaxy).await.unwrap();
            world.certificates.request(Place::Edge, &tags, &domain, &token).await.unwrap();
        });
    }
    asking.join_all().await;
    let ours = account.world().certificates.ours(Place::Edge, &galaxy).await.unwrap();
    assert_eq!(ours.len(), 200);
}

/// The sheet, as it stands in a terminal: of a galaxy that was just installed, and of one whose
/// records are being set.
#[test]
fn the_sheet_is_played_in_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mail = "mail:\n  domain: example.org\n  reports: reports@example.org\n";
    let yaml = format!("region: eu-central-1\n{mail}{TWO}  spaceduckling: example.org\n");
    std::fs::write(folder.path().join("galaxy.yaml"), yaml).unwrap();
    for columns in [80, 120] {
        let words = ["domains", "--rehearse"];
        let seen = terminal::play(folder.path(), columns, &words, &[], &[]);
        assert_eq!(seen.code, 7);
        terminal::kept("domains", columns, &seen);
    }
    std::fs::write(folder.path().join("galaxy.yaml"), "name: pond\n").unwrap();
    let seen = terminal::play(folder.path(), 80, &["domains", "--rehearse"], &[], &[]);
    assert_eq!(seen.code, 1);
    terminal::kept("domains_none", 80, &seen);
}

#[test]
fn an_installation_that_watches_stays_until_every_domain_answers() {
    let (code, json, people) = spaceduck(TWO, &["install", "--watch", "--yes", "--json"]);
    assert_eq!(code, 0, "{json} {people}");
    let last = json.lines().last().unwrap();
    let last: serde_json::Value = serde_json::from_str(last).unwrap();
    let urls = last["urls"].to_string();
    assert!(urls.contains("https://docs.example.org"), "{urls}");
    assert!(json.contains("step\":\"certificate duckgalaxy"), "{json}");
    // Without it nobody waits.
    let (code, json, _) = spaceduck(TWO, &["install", "--yes", "--json"]);
    assert_eq!(code, 0);
    let last: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert!(last["next"].to_string().contains("Amazon waits for the record"), "{last}");
}

/// A life with domains: installed, issued, attached, told, and removed.
async fn life(account: &Arc<Account>) -> Result<String, spaceduck::failure::Failure> {
    for _ in 0..4 {
        reach_of(account, Goal::Present, "a", TWO).await?;
        pass(account, 600).await;
    }
    let mut contents = account.contents();
    // Records of releases on the way there: one more where both domains were not told at once.
    contents.retain(|what, _| !what.contains("artifacts"));
    let (_, observed) = job_of(account, Goal::Present, "a", TWO).await?;
    let domains = observed.domains.seen.values();
    let served = domains.filter(|served| served.since.is_some() && served.attached).count();
    Ok(format!("{served} {contents:#?}"))
}

async fn removal(account: &Arc<Account>) -> Result<String, spaceduck::failure::Failure> {
    reach_of(account, Goal::Absent, "a", TWO).await?;
    Ok(format!("{:#?}", account.contents()))
}

/// Dies at every change that only domains bring, and hears no answer to each such call.
#[tokio::test]
async fn whatever_goes_wrong_a_life_with_domains_goes_on() {
    let undisturbed = account();
    let wanted = life(&undisturbed).await.unwrap();
    let effects = undisturbed.log().len();
    let calls = undisturbed.hiccup(None);
    let ours = |what: &str| what.contains("certificate") || what.contains("api-domain");
    let mut played = 0;
    for (at, what) in undisturbed.log().iter().enumerate() {
        for cut in [Cut::Before(at + 1), Cut::After(at + 1)] {
            if !ours(what) {
                continue;
            }
            let account = account();
            account.cut(Some(cut));
            assert!(life(&account).await.is_err(), "{what}");
            account.cut(None);
            assert_eq!(life(&account).await.unwrap(), wanted, "{cut:?} {what}");
            assert_eq!(removal(&account).await.unwrap(), "{}", "{cut:?} {what}");
            played += 1;
        }
    }
    assert!(played >= 6, "{played} of {effects}");
    for call in (1..=calls).step_by(7) {
        let account = account();
        let kind = spaceduck::failure::Kind::Settled;
        account.hiccup(Some(Hiccup { call, done: true, kind }));
        let _ = life(&account).await;
        account.hiccup(None);
        assert_eq!(life(&account).await.unwrap(), wanted, "call {call}");
    }
    let mut cuts = 0;
    loop {
        let account = account();
        life(&account).await.unwrap();
        account.cut(Some(Cut::After(cuts + 1)));
        let cut = removal(&account).await;
        account.cut(None);
        if cut.is_ok() {
            break;
        }
        assert_eq!(removal(&account).await.unwrap(), "{}", "removal, after change {}", cuts + 1);
        cuts += 1;
    }
    assert!(cuts > 15, "{cuts}");
}
