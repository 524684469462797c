//! The mail domain's SES identity when its galaxy goes and comes back.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

use std::sync::Arc;

use galaxy_mail::facts::Identity;
use galaxy_mail::name::Domain;
use spaceduck::execute;
use spaceduck::mail;
use spaceduck::plan::{self, Goal};
use spaceduck::rehearse::Account;

mod galaxy;

use galaxy::{account, job_of, reach_of};

const YAML: &str = "mail:\n  domain: example.org\n";

async fn identity(account: &Arc<Account>) -> Option<Identity> {
    let domain = Domain::parse("example.org").unwrap();
    account.world().mail.identity(&domain).await.unwrap()
}

fn place(log: &[String], line: &str) -> usize {
    log.iter().position(|one| one == line).unwrap_or_else(|| panic!("no `{line}` in {log:?}"))
}

#[tokio::test]
async fn a_teardown_keeps_the_identity_working_and_the_next_install_takes_it_up() {
    let account = account();
    reach_of(&account, Goal::Present, "a", YAML).await.unwrap();
    assert_eq!(identity(&account).await.unwrap().set.as_deref(), Some("spaceduck-tx"));
    reach_of(&account, Goal::Absent, "a", YAML).await.unwrap();
    let log = account.log();
    let cleared = place(&log, "clear the default set of example.org");
    assert!(cleared < place(&log, "delete spaceduck-mail"), "{log:?}");
    assert_eq!(identity(&account).await.unwrap().set, None, "mail from it goes on");
    let (job, _) = job_of(&account, Goal::Present, "a", YAML).await.unwrap();
    let seen = mail::seen(&account.world(), &job.facts.config).await.unwrap();
    assert!(!seen.foreign, "it is this galaxy's own");
    reach_of(&account, Goal::Present, "a", YAML).await.unwrap();
    assert_eq!(identity(&account).await.unwrap().set.as_deref(), Some("spaceduck-tx"));
    assert_eq!(reach_of(&account, Goal::Present, "a", YAML).await.unwrap(), 0);
}

#[tokio::test]
async fn an_identity_that_the_account_had_before_is_left_alone() {
    let account = account();
    account.know(&Domain::parse("example.org").unwrap());
    reach_of(&account, Goal::Present, "a", YAML).await.unwrap();
    reach_of(&account, Goal::Absent, "a", YAML).await.unwrap();
    let log = account.log();
    assert!(!log.iter().any(|line| line.contains("example.org")), "{log:?}");
}

#[tokio::test]
async fn the_person_may_let_it_go() {
    let account = account();
    reach_of(&account, Goal::Present, "a", YAML).await.unwrap();
    let (job, observed) = job_of(&account, Goal::Absent, "a", YAML).await.unwrap();
    let mut job = Arc::into_inner(job).unwrap();
    job.named.insert(execute::IDENTITY.to_owned());
    let job = Arc::new(job);
    let plan = plan::plan(Goal::Absent, &observed, &job.rendered);
    execute::run(&plan, &job).await.unwrap();
    assert_eq!(identity(&account).await, None);
    let log = account.log();
    let removed = place(&log, "remove the identity example.org");
    assert!(place(&log, "delete spaceduck-mail") < removed, "{log:?}");
}
