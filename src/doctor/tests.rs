//! The doctor finds what ails the account in memory, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::catalog;
use crate::config::Config;
use crate::model::{Place, Secret};
use crate::ports::{Proposal, Quota, Thing, Usage};
use crate::rehearse::{Account, Ailment};

const ACCOUNT: &str = "111122223333";

fn facts(config: Config) -> Facts {
    let account = AccountId::parse(ACCOUNT).expect("an account");
    let region = Region::parse("eu-central-1").expect("a Region");
    let release = "1.1.0".to_owned();
    Facts { config, account: Some(account), region: Some(region), code: None, release }
}

fn rendered(facts: &Facts) -> BTreeMap<Stack, Rendered> {
    let one = |stack: Stack| {
        let filled = catalog::fill(stack, facts);
        (stack, crate::render::render(catalog::template(stack), &filled).expect("a template"))
    };
    Stack::all().into_iter().filter(|stack| !stack.is_optional()).map(one).collect()
}

/// A person who has a widget, so that nothing at all is to be said.
fn well() -> Config {
    Config {
        turnstile_site_key: Some("0x4AAAAAAADuckKey".into()),
        turnstile_secret: Some(Secret::new("hush".into())),
        ..Config::default()
    }
}

/// The account as every command has it.
fn world(account: &Arc<Account>, facts: &Facts) -> crate::ports::World {
    let subject = crate::identity::Subject {
        galaxy: facts.config.name.clone(),
        account: AccountId::parse(ACCOUNT).expect("an account"),
        home: Region::parse("eu-central-1").expect("a Region"),
    };
    crate::identity::guard(account.world(), subject)
}

async fn case(account: &Arc<Account>, config: Config) -> Case {
    let facts = facts(config);
    let world = world(account, &facts);
    let stacks = stacks(&world, &facts.config.name).await.expect("a look");
    Case {
        account: AccountId::parse(ACCOUNT).expect("an account"),
        home: Region::parse("eu-central-1").expect("a Region"),
        rendered: rendered(&facts),
        world,
        facts,
        stacks,
        unseen: None,
    }
}

fn empty() -> Arc<Account> {
    let region = Region::parse("eu-central-1").expect("a Region");
    Account::new(AccountId::parse(ACCOUNT).expect("an account"), region)
}

/// What is not fine, after something has happened to an account that is.
async fn with(ailments: Vec<Ailment>) -> Vec<(&'static str, Level, String)> {
    let account = empty();
    for ailment in ailments {
        account.ail(ailment);
    }
    let found = examine(&case(&account, well()).await).await;
    // An account without distributions can't be asked whether it may have any.
    let known = |f: &Finding| f.level != Level::Ok && f.check.id != "cloudfront-account";
    found.into_iter().filter(known).map(|f| (f.check.id, f.level, f.is)).collect()
}

#[tokio::test]
async fn an_account_that_is_well_has_nothing_to_cure() {
    assert_eq!(with(vec![]).await, []);
    let found = examine(&case(&empty(), well()).await).await;
    assert!(found.iter().all(|finding| finding.level != Level::Ok || finding.cure.is_none()));
    let told: BTreeSet<&str> = found.iter().map(|finding| finding.check.id).collect();
    let local = ["function", "disk"];
    let all: BTreeSet<&str> =
        CHECKS.iter().map(|check| check.id).filter(|id| !local.contains(id)).collect();
    assert_eq!(told, all, "every check has its say");
}

#[tokio::test]
async fn each_ailment_is_found_as_what_it_is() {
    use Level::{Problem, Unknown, Warning};
    let usage = |used, limit| Usage { used, limit: Some(limit) };
    let name = |thing, name: &str| Ailment::Taken(thing, name.to_owned());
    let cases = [
        (Ailment::Caller(format!("arn:aws:iam::{ACCOUNT}:root")), "credentials", Warning, "root"),
        (Ailment::Missing("s3:PutObject".into()), "permissions", Problem, "s3:PutObject on arn:"),
        (Ailment::Forbidden("iam:PassRole".into()), "permissions", Problem, "in so many words"),
        (
            Ailment::Missing("kms:ListAliases".into()),
            "permissions",
            Warning,
            "knows or does less: kms:ListAliases",
        ),
        (Ailment::Unasked, "permissions", Unknown, "actions could be checked"),
        (Ailment::ClockAhead(301), "clock", Problem, "301 s ahead"),
        (Ailment::ClockAhead(-90), "clock", Warning, "90 s behind"),
        (Ailment::Lapsing(0), "credentials-end", Problem, "have lapsed"),
        (Ailment::Lapsing(1200), "credentials-end", Warning, "in 20 min"),
        (
            Ailment::Used(Quota::Stacks(Place::Edge), usage(1996, 2000)),
            "stacks-quota",
            Problem,
            "1996 of 2000 stacks in us-east-1 are taken; 5 more",
        ),
        (
            Ailment::Used(Quota::Distributions, Usage { used: 198, limit: None }),
            "distributions-quota",
            Problem,
            "as usual",
        ),
        (
            Ailment::Used(Quota::HeadersPolicies, usage(16, 20)),
            "headers-quota",
            Problem,
            "16 of 20",
        ),
        (Ailment::Used(Quota::Concurrency, usage(0, 10)), "concurrency", Warning, "10 at once"),
        (
            Ailment::Used(Quota::GatewayRate, usage(0, 99)),
            "throttles",
            Problem,
            "`api.calls_per_second` is 100, and API Gateway lets 99 calls",
        ),
        (
            Ailment::Used(Quota::GatewayRate, Usage { used: 0, limit: None }),
            "throttles",
            Unknown,
            "can't be read",
        ),
        (name(Thing::LogGroup, "/aws/lambda/spaceduck-beak"), "names", Problem, "-beak (AWS::Logs"),
        (name(Thing::OriginAccess, "spaceduck-duckgalaxy"), "names", Problem, "OriginAccess"),
        (name(Thing::KeyAlias, "alias/spaceduck-cert"), "names", Problem, "alias/spaceduck-cert"),
        (name(Thing::ConfigurationSet, "spaceduck-tx"), "names", Problem, "spaceduck-tx"),
        (name(Thing::ManagedPolicy, "spaceduck-boundary"), "names", Problem, "IAM::ManagedPolicy"),
    ];
    for (ailment, id, level, is) in cases {
        let found = with(vec![ailment.clone()]).await;
        assert_eq!(found.len(), 1, "{ailment:?}: {found:?}");
        assert_eq!((found[0].0, found[0].1), (id, level), "{ailment:?}");
        assert!(found[0].2.contains(is), "{ailment:?}: {}", found[0].2);
    }
}

#[tokio::test]
async fn mail_that_is_stopped_is_told() {
    let account = empty();
    account.stand(crate::rehearse::standing("shutdown"));
    let found = examine(&case(&account, well()).await).await;
    let mail = found.iter().find(|finding| finding.check.id == "mail").expect("a finding");
    assert_eq!(mail.level, Level::Warning);
    assert!(mail.is.contains("standing Shutdown"), "{}", mail.is);
}

#[tokio::test]
async fn a_domain_that_can_not_be_had_is_told_before_it_is_asked_for() {
    use galaxy_mail::dns::Trouble;
    use galaxy_mail::judge::{Mistake, State};
    use galaxy_mail::name::Domain;
    let name = |text: &str| Domain::parse(text).expect("a name");
    let docs = crate::model::Front::Site(galaxy_sites::Site::DuckGalaxy);
    let found = async |prepare: &dyn Fn(&Account)| {
        let account = empty();
        prepare(&account);
        let mut config = well();
        config.domains.names.insert(docs, name("docs.example.org"));
        let found = examine(&case(&account, config).await).await;
        let found = found.into_iter().find(|finding| finding.check.id == "domains");
        found.expect("a finding")
    };
    let probe = name("_spaceduck-probe.docs.example.org");
    let fine = found(&|_| {}).await;
    assert_eq!(fine.level, Level::Ok, "{fine:?}");
    let caa = Mistake::Caa { at: name("example.org"), allows: vec!["letsencrypt.org".into()] };
    let caa = State::Wrong(caa);
    let caa = found(&|account| account.set_record(&probe, "CNAME", caa.clone())).await;
    assert_eq!(caa.level, Level::Warning);
    assert!(caa.is.contains("letsencrypt.org"), "{}", caa.is);
    assert!(caa.cure.expect("a cure").contains("amazon.com"));
    let lost = Trouble::Undelegated { name: name("example.org"), parent: name("org") };
    let lost = State::Wrong(Mistake::Delegation(lost));
    let lost = found(&|account| account.set_record(&probe, "CNAME", lost.clone())).await;
    assert_eq!(lost.level, Level::Warning);
    assert!(lost.is.contains("not delegated"), "{}", lost.is);
    let taken = Ailment::Taken(Thing::Alias, "docs.example.org".into());
    let taken = found(&|account| account.ail(taken.clone())).await;
    assert_eq!(taken.level, Level::Problem);
    assert!(taken.is.contains("another distribution"), "{}", taken.is);
    let leads = |to: &str| State::Wrong(Mistake::Different(vec![to.to_owned()]));
    let (docs, other) = (name("docs.example.org"), leads("d0ther.cloudfront.net"));
    let other = found(&|account| account.set_record(&docs, "CNAME", other.clone())).await;
    assert_eq!(other.level, Level::Warning);
    assert!(other.is.contains("leads to d0ther.cloudfront.net"), "{}", other.is);
    assert!(other.cure.expect("a cure").contains("take the domain off that distribution"));
    let host = leads("pages.provider.test");
    let host = found(&|account| account.set_record(&docs, "CNAME", host.clone())).await;
    assert_eq!(host.level, Level::Ok, "a name that leads to no distribution can be attached");
}

#[tokio::test]
async fn just_enough_room_is_enough() {
    let usage = |used, limit| Usage { used, limit: Some(limit) };
    let found = with(vec![
        Ailment::Used(Quota::Stacks(Place::Home), usage(1995, 2000)),
        Ailment::Used(Quota::Stacks(Place::Edge), usage(1995, 2000)),
        Ailment::Used(Quota::Distributions, usage(195, 200)),
        Ailment::Used(Quota::HeadersPolicies, usage(15, 20)),
        Ailment::Lapsing(1801),
        Ailment::ClockAhead(60),
    ]);
    assert_eq!(found.await, []);
}

#[tokio::test]
async fn without_turnstile_nobody_can_hatch() {
    let found = examine(&case(&empty(), Config::default()).await).await;
    let captcha = found.iter().find(|finding| finding.check.id == "captcha").expect("a finding");
    assert_eq!(captcha.level, Level::Warning);
    assert!(captcha.is.contains("hatching is closed"), "{}", captcha.is);
}

async fn make(account: &Arc<Account>, stack: Stack, facts: &Facts) {
    let proposal = Proposal {
        place: stack.place(),
        name: stack.name(&facts.config.name),
        body: rendered(facts)[&stack].body.clone(),
        parameters: BTreeMap::new(),
        secrets: BTreeMap::new(),
        tags: catalog::tags(&facts.config.name),
        role: None,
        mode: crate::ports::Mode::Plain,
        express: true,
        token: None,
    };
    let world = world(account, facts);
    if world.ownership.survey().await.expect("a survey").claim == crate::ports::Claim::Free {
        world.ownership.begin().await.expect("a record");
    }
    world.stacks.create(&proposal).await.expect("created");
    world.clock.sleep(std::time::Duration::from_mins(10)).await;
}

#[tokio::test]
async fn what_a_galaxy_has_itself_is_not_in_its_way() {
    let account = empty();
    make(&account, Stack::Mail, &facts(well())).await;
    account.ail(Ailment::Taken(Thing::ConfigurationSet, "spaceduck-tx".into()));
    let found = examine(&case(&account, well()).await).await;
    let names = found.iter().find(|finding| finding.check.id == "names").expect("a finding");
    assert_eq!(names.level, Level::Ok, "{}", names.is);
    let stacks = found.iter().find(|finding| finding.check.id == "stacks").expect("a finding");
    assert_eq!(stacks.is, "1 of 10 are there");
}

#[tokio::test]
async fn a_dead_stack_and_a_pool_without_its_stack_are_told() {
    let account = empty();
    make(&account, Stack::Mail, &facts(well())).await;
    account.put("spaceduck-mail", "ROLLBACK_COMPLETE", &[]);
    account.stray("arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_abc");
    let found = examine(&case(&account, well()).await).await;
    let of = |id: &str| found.iter().find(|finding| finding.check.id == id).expect("a finding");
    assert_eq!(of("stacks").is, "mail is in ROLLBACK_COMPLETE");
    assert_eq!(of("people").level, Level::Warning);
    assert!(of("people").is.ends_with("userpool/eu-central-1_abc"));
}

#[tokio::test]
async fn who_cannot_see_the_stacks_is_not_told_that_names_are_free() {
    let mut case = case(&empty(), well()).await;
    case.unseen = Some(Failure::new(crate::failure::Kind::Access, "no permission"));
    let found = examine(&case).await;
    for id in ["names", "leftovers", "people", "stacks"] {
        let finding = found.iter().find(|finding| finding.check.id == id).expect("a finding");
        assert_eq!(finding.level, Level::Unknown, "{id}");
    }
}

/// A type that gives a name is either looked for or has its reason here.
#[test]
fn no_name_in_the_templates_is_forgotten() {
    let reasons = [
        ("AWS::S3::Bucket", "taken up again"),
        ("AWS::DynamoDB::Table", "taken up again"),
        ("AWS::Cognito::UserPool", "several may have the same name; told as left over"),
        ("AWS::Cognito::UserPoolClient", "inside the pool"),
        ("AWS::Cognito::UserPoolGroup", "inside the pool"),
        ("AWS::ApiGatewayV2::Api", "several may have the same name"),
        ("AWS::ApiGatewayV2::Stage", "inside the API"),
        ("AWS::Lambda::Alias", "inside the function"),
        ("AWS::Lambda::Version", "inside the function"),
        ("AWS::Lambda::Permission", "inside the function"),
        ("AWS::CloudWatch::Alarm", "CloudFormation's own validation finds one that is taken"),
        ("AWS::Events::Rule", "CloudFormation's own validation finds one that is taken"),
        ("AWS::Lambda::EventInvokeConfig", "inside the function"),
        ("AWS::SES::ConfigurationSetEventDestination", "inside the configuration set"),
        ("AWS::Logs::Delivery", "DeliverySourceName is what it joins"),
        ("AWS::SNS::Topic", "DisplayName is no name"),
        ("AWS::SSM::Parameter", "CloudFormation's own validation finds one that is taken"),
    ];
    for (stack, rendered) in rendered(&facts(well())) {
        let root = crate::yaml::Node::parse(&rendered.body).expect("YAML");
        for (id, resource) in root.get("Resources").expect("resources").entries() {
            let kind = resource.get("Type").and_then(crate::yaml::Node::text).expect("a type");
            let text = resource.emit().expect("YAML");
            let named = text.lines().any(|line| {
                let key = line.trim().split(':').next().unwrap_or_default();
                key == "Name" || key.ends_with("Name")
            });
            let known = names::NAMED.iter().any(|(of, _, _)| *of == kind);
            let excused = reasons.iter().any(|(of, _)| *of == kind);
            let nested =
                ["AWS::IAM::Role", "AWS::CloudFront::Distribution", "AWS::S3::BucketPolicy"];
            assert!(!named || known || excused || nested.contains(&kind), "{stack}.{id}: {kind}");
        }
        let count = names::given(stack, &rendered).expect("names").len();
        let wanted = match stack {
            Stack::Bootstrap | Stack::Data => 1,
            Stack::Mail => 2,
            Stack::Api => 3,
            Stack::Site(_) => 6,
            _ => 0,
        };
        assert_eq!(count, wanted, "{stack}");
    }
}

#[test]
fn the_table_is_one_of_names_that_are_used() {
    let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    let sources = [
        include_str!("account.rs"),
        include_str!("domains.rs"),
        include_str!("galaxy.rs"),
        include_str!("names.rs"),
        include_str!("throttles.rs"),
        include_str!("../doctor.rs"),
        include_str!("../run/doctor.rs"),
    ];
    for source in sources {
        for call in ["Finding::new(", "Finding::unknown(", "Finding::failed("] {
            for rest in source.split(call).skip(1) {
                let Some(rest) = rest.trim_start().strip_prefix('"') else { continue };
                let id = rest.split('"').next().expect("a name");
                assert_eq!(check(id).id, id, "`{id}` is not in the table");
            }
        }
    }
    for id in &ids {
        let quoted = format!("\"{id}\"");
        assert!(sources.iter().any(|source| source.contains(&quoted)), "{id} is used by nothing");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn this_machine_needs_code_and_room() {
    use Level::{Ok, Problem, Unknown};
    let level = |function: FunctionCode, free: Option<u64>| -> Vec<Level> {
        look_at(&Machine { function, free }).iter().map(|finding| finding.level).collect()
    };
    assert_eq!(level(FunctionCode::Packed, Some(300_000_000)), [Ok, Ok]);
    assert_eq!(level(FunctionCode::Source, Some(300_000_000)), [Ok, Problem]);
    assert_eq!(level(FunctionCode::Packed, Some(1)), [Ok, Problem]);
    assert_eq!(level(FunctionCode::Missing("gone".into()), None), [Problem, Unknown]);
}

#[test]
fn versions_are_compared_as_numbers() {
    use galaxy::numbers;
    assert!(numbers("1.9.0") < numbers("1.10.0"));
    assert!(numbers("1.1.0-beta") >= numbers("1.1.0"));
}

/// The documentation's table of sizes: the settings are read, the first row is the default, and
/// what has to run at once is what the check counts.
#[test]
fn the_table_of_sizes_is_what_the_check_counts() {
    let page = include_str!("../../pages/mightyspaceduck/guide/configuration.md");
    let (_, table) = page.split_once("| ducklings |").expect("a table");
    let mut rows = Vec::new();
    for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<String> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace(',', "")).collect();
        let keys = [
            "calls_per_second",
            "calls_burst",
            "sign_in_per_second",
            "sign_in_burst",
            "hatch_per_second",
            "hatch_burst",
        ];
        let mut text = "api:\n".to_owned();
        for (key, value) in keys.iter().zip(&cells[1..]) {
            writeln!(text, "  {key}: {value}").expect("a text");
        }
        let config =
            crate::config::parse("galaxy.yaml", &text, &crate::config::Environment::default());
        let throttles = config.expect("settings").throttles;
        let (rate, sign_ins) = (throttles.calls.per_second, throttles.sign_in.per_second);
        assert_eq!(throttles::at_once(rate, sign_ins).to_string(), cells[7], "{line}");
        rows.push(throttles);
    }
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0], crate::config::Throttles::default());
}

#[tokio::test]
async fn more_calls_than_functions_may_run_at_once_are_told() {
    let config = |yaml: &str| {
        let read =
            crate::config::parse("galaxy.yaml", yaml, &crate::config::Environment::default());
        Config { turnstile_site_key: well().turnstile_site_key, ..read.expect("settings") }
    };
    let found = async |yaml: &str, there: u64| {
        let account = empty();
        account.ail(Ailment::Used(Quota::Concurrency, Usage { used: 0, limit: Some(there) }));
        let found = examine(&case(&account, config(yaml)).await).await;
        let found = found.into_iter().find(|finding| finding.check.id == "throttles");
        found.map(|finding| (finding.level, finding.is)).expect("a finding")
    };
    let many = "api:\n  calls_per_second: 2000\n  sign_in_per_second: 100\n";
    let (level, is) = found(many, 249).await;
    assert_eq!(level, Level::Warning);
    assert_eq!(
        is,
        "2000 calls and 100 sign-ins a second keep about 250 functions busy, \
         and 249 may run at once"
    );
    assert_eq!(found(many, 250).await.0, Level::Ok);
    let reserved = format!("{many}cost:\n  parallel_calls: 40\n");
    assert_eq!(found(&reserved, 1000).await.0, Level::Warning, "what is reserved is all there is");
    // Ten are too few for any galaxy: that is the check `concurrency`, and one finding is enough.
    assert_eq!(found("", 10).await.0, Level::Ok);
}
