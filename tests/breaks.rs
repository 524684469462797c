//! Everything that somebody can break by hand, played in the account in memory: each break is
//! found and mended, or named in `docs/drift.md` as unchecked with the reason. No row is silent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod galaxy;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use spaceduck::drift::{self, Finding};
use spaceduck::execute::{self, Job};
use spaceduck::model::Place;
use spaceduck::plan::Goal;
use spaceduck::ports::{DriftState, Extra, Object};
use spaceduck::rehearse::{Account, Meddling};
use spaceduck::release;

use galaxy::{account, job_of, reach_of, reach_typed_of};

const ARTIFACTS: &str = "spaceduck-artifacts-111122223333-eu-central-1-an";
const PAGES: &str = "spaceduck-duckgalaxy-111122223333-us-east-1-an";
const HTML: &str = "text/html; charset=utf-8";

/// How a break is played, or why not.
enum How {
    /// A property of a resource becomes another one.
    Set(&'static str, &'static str, &'static str),
    /// A resource is deleted.
    Gone(&'static str, &'static str),
    /// CloudFormation could not compare a resource.
    Failed(&'static str, &'static str),
    /// A stack is deleted, or in a state of failure.
    Stack(&'static str, &'static str),
    /// A stack's termination protection is switched off.
    Unprotected(&'static str),
    /// A page is written again with other headers, with its name and value.
    Header(&'static str, &'static str),
    /// A page is written again: key, content, `Content-Type`, `Cache-Control`.
    Page(&'static str, Option<&'static str>, &'static str, &'static str),
    /// An object of the artifact bucket goes, by how its key begins, or gets other bytes.
    Artifact(&'static str, Option<&'static str>),
    /// A bucket goes.
    Bucket(&'static str),
    /// A parameter goes, or becomes another one.
    Parameter(&'static str, Option<&'static str>),
    /// Something is added beside a template.
    Added(Extra),
    /// A tagged thing that no stack made.
    Stray(&'static str),
    /// Callers get the version before.
    Live,
    /// Not looked at, and why.
    Unchecked(&'static str),
    /// No drift by design, and why.
    Design(&'static str),
}

use How::{
    Added, Artifact, Bucket, Design, Failed, Gone, Header, Live, Page, Parameter, Set, Stack,
    Stray, Unchecked, Unprotected,
};

fn function() -> String {
    "spaceduck-api-BeakFunction".into()
}

fn permission(qualifier: Option<&str>, id: &str, who: &str) -> How {
    let (qualifier, id) = (qualifier.map(str::to_owned), id.to_owned());
    Added(Extra::Permission { function: function(), qualifier, id, who: who.into() })
}

fn url(qualifier: Option<&str>, auth: &str) -> How {
    let qualifier = qualifier.map(str::to_owned);
    Added(Extra::Url { function: function(), qualifier, auth: auth.into() })
}

fn attached(role: &str, arn: &str) -> How {
    Added(Extra::Attached { role: role.into(), arn: arn.into() })
}

fn inlined(role: &str, name: &str) -> How {
    Added(Extra::Inlined { role: role.into(), name: name.into() })
}

fn cors(place: Place, bucket: &str) -> How {
    Added(Extra::Cors { place, bucket: bucket.into() })
}

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const FUNCTION_ROLE: &str = "spaceduck-api-FunctionRole";
const STACK_ROLE: &str = "spaceduck-bootstrap-CfnServiceRole";
const SITE: &str = "site-duckgalaxy";

/// What somebody changed in stacks that hold data and roles.
fn of_data() -> Vec<(&'static str, How)> {
    vec![
        ("table: deletion protection off", Set("data", "EggsTable", "DeletionProtectionEnabled")),
        ("table deleted", Gone("data", "EggsTable")),
        ("table: TTL off", Set("data", "EggsTable", "TimeToLiveSpecification")),
        (
            "table: point-in-time recovery off",
            Set("data", "LedgerTable", "PointInTimeRecoverySpecification"),
        ),
        ("table: billing mode", Set("data", "PecksTable", "BillingMode")),
        ("table: throughput ceiling", Set("data", "CertsTable", "OnDemandThroughput")),
        ("table: index removed", Set("data", "PecksTable", "GlobalSecondaryIndexes")),
        ("key's policy opened", Set("data", "CertSigningKey", "KeyPolicy")),
        ("key scheduled for deletion", Gone("data", "CertSigningKey")),
        ("key's alias deleted", Gone("data", "CertSigningKeyAlias")),
        ("key's alias on another key", Set("data", "CertSigningKeyAlias", "TargetKeyId")),
        (
            "key disabled",
            Unchecked("no template sets `Enabled`, and CloudFormation compares what is set"),
        ),
        ("bucket: versioning off", Set("bootstrap", "ArtifactBucket", "VersioningConfiguration")),
        (
            "artifact bucket: public access block off",
            Set("bootstrap", "ArtifactBucket", "PublicAccessBlockConfiguration"),
        ),
        (
            "site bucket: public access block off",
            Set(SITE, "SiteBucket", "PublicAccessBlockConfiguration"),
        ),
        ("site bucket: versioning off", Set(SITE, "SiteBucket", "VersioningConfiguration")),
        ("site bucket: ownership controls", Set(SITE, "SiteBucket", "OwnershipControls")),
        ("bucket: encryption", Set("bootstrap", "ArtifactBucket", "BucketEncryption")),
        ("bucket: lifecycle rules", Set("bootstrap", "ArtifactBucket", "LifecycleConfiguration")),
        ("bucket policy removed", Gone("bootstrap", "ArtifactBucketPolicy")),
        ("site's bucket policy opened", Set(SITE, "SiteBucketPolicy", "PolicyDocument")),
    ]
}

/// What somebody changed in the function and its API.
fn of_api() -> Vec<(&'static str, How)> {
    vec![
        ("function: environment", Set("api", "BeakFunction", "Environment")),
        ("function: memory", Set("api", "BeakFunction", "MemorySize")),
        ("function: timeout", Set("api", "BeakFunction", "Timeout")),
        ("function: runtime", Set("api", "BeakFunction", "Runtime")),
        ("function: role", Set("api", "BeakFunction", "Role")),
        ("function: logging", Set("api", "BeakFunction", "LoggingConfig")),
        ("function deleted", Gone("api", "BeakFunction")),
        ("alias on a new version of the same code", Set("api", "BeakAlias", "FunctionVersion")),
        ("alias deleted", Gone("api", "BeakAlias")),
        ("log retention", Set("api", "FunctionLogs", "RetentionInDays")),
        ("log group deleted", Gone("api", "FunctionLogs")),
        ("gateway's log group deleted", Gone("api", "ApiLogs")),
        ("role: trust opened", Set("api", "FunctionRole", "AssumeRolePolicyDocument")),
        ("role: inline policy widened", Set("api", "FunctionRole", "Policies")),
        ("role: boundary removed", Set("api", "FunctionRole", "PermissionsBoundary")),
        ("service role: policy widened", Set("bootstrap", "CfnServiceRole", "Policies")),
        ("route deleted", Gone("api", "HatchRoute")),
        ("route on another integration", Set("api", "SigninRoute", "Target")),
        ("integration: timeout", Set("api", "Integration", "TimeoutInMillis")),
        ("throttle", Set("api", "Prod", "DefaultRouteSettings")),
        ("throttle of one route", Set("api", "Prod", "RouteSettings")),
        ("access log off", Set("api", "Prod", "AccessLogSettings")),
        ("API: name", Set("api", "HttpApi", "Name")),
        ("API: CORS", Set("api", "HttpApi", "CorsConfiguration")),
        ("permission of the API deleted", Gone("api", "InvokePermission")),
        ("event rule disabled", Set("api", "MailEventsRule", "State")),
        ("event rule: target", Set("api", "MailEventsRule", "Targets")),
        ("dead-letter queue deleted", Gone("api", "MailDeadLetters")),
        ("dead-letter queue: retention", Set("api", "MailDeadLetters", "MessageRetentionPeriod")),
        ("dead-letter queue: policy opened", Set("api", "MailDeadLettersPolicy", "PolicyDocument")),
        ("retries of mail events", Set("api", "MailEventsRetries", "MaximumRetryAttempts")),
        ("alarm deleted", Gone("api", "ErrorsAlarm")),
        ("alarm: threshold", Set("api", "ThrottlesAlarm", "Threshold")),
        ("alarm: no action", Set("api", "ErrorsAlarm", "AlarmActions")),
        (
            "alarm: actions switched off",
            Unchecked("no template sets `ActionsEnabled`, and CloudFormation compares what is set"),
        ),
    ]
}

/// What somebody changed in mail, people and sites.
fn of_others() -> Vec<(&'static str, How)> {
    vec![
        ("alarm mail unsubscribed", Gone("mail", "AlarmEmailSubscription")),
        ("alarm topic deleted", Gone("mail", "AlarmTopic")),
        ("configuration set: sending off", Set("mail", "TransactionalConfigSet", "SendingOptions")),
        (
            "configuration set: suppression",
            Set("mail", "NewsletterConfigSet", "SuppressionOptions"),
        ),
        ("configuration set: TLS", Set("mail", "TransactionalConfigSet", "DeliveryOptions")),
        ("configuration set deleted", Gone("mail", "NewsletterConfigSet")),
        ("event destination deleted", Gone("mail", "TransactionalEvents")),
        ("reputation alarm deleted", Gone("mail", "BounceRateAlarm")),
        ("password policy", Set("auth", "UserPool", "Policies")),
        ("user pool: deletion protection", Set("auth", "UserPool", "DeletionProtection")),
        ("user pool: recovery", Set("auth", "UserPool", "AccountRecoverySetting")),
        ("client: flows", Set("auth", "ApiClient", "ExplicitAuthFlows")),
        ("client deleted", Gone("auth", "ApiClient")),
        ("client's secret in Parameter Store", Set("auth", "ApiClientSecret", "Value")),
        ("client's secret in Parameter Store deleted", Gone("auth", "ApiClientSecret")),
        ("operators' group deleted", Gone("auth", "OperatorsGroup")),
        ("distribution disabled", Set(SITE, "Distribution", "DistributionConfig")),
        ("distribution: root object", Set(SITE, "Distribution", "DistributionConfig")),
        ("distribution deleted", Gone(SITE, "Distribution")),
        ("headers policy", Set(SITE, "HeadersPolicy", "ResponseHeadersPolicyConfig")),
        ("edge function", Set(SITE, "EdgeFunction", "FunctionCode")),
        ("origin access control", Set(SITE, "Oac", "OriginAccessControlConfig")),
        ("access logs: delivery deleted", Gone(SITE, "LogDelivery")),
        ("a resource that CloudFormation could not compare", Failed("api", "FunctionLogs")),
    ]
}

/// What somebody changed in stacks, objects and parameters.
fn of_contents() -> Vec<(&'static str, How)> {
    let mut rows = vec![
        ("live alias on other code", Live),
        ("page deleted", Page("index.html", None, "", "")),
        ("page overwritten", Page("index.html", Some("<h1>Sale</h1>"), HTML, "no-cache")),
        ("page's type and cache headers", Page("index.html", Some("x"), "text/plain", "max-age=9")),
        ("extra page", Page("campaign.html", Some("x"), HTML, "no-cache")),
        ("another page's settings overwritten", Page("config.json", Some("{}"), HTML, "no-cache")),
        ("page: `Content-Encoding`", Header("Content-Encoding", "gzip")),
        ("page: `Content-Disposition`", Header("Content-Disposition", "attachment")),
        ("page: `Content-Language`", Header("Content-Language", "tlh")),
        ("page: `Expires`", Header("Expires", "Thu, 01 Jan 2037 00:00:00 GMT")),
        ("page: redirect", Header("x-amz-website-redirect-location", "https://example.org")),
        ("page: metadata", Header("x-amz-meta-owner", "somebody")),
        ("Turnstile secret removed", Parameter("turnstile-secret", None)),
        ("Turnstile secret changed", Parameter("turnstile-secret", Some("another"))),
        ("host names removed", Parameter("turnstile-hostnames", None)),
        ("host names changed", Parameter("turnstile-hostnames", Some("example.org"))),
        ("artifact pack deleted", Artifact("packs/", None)),
        ("artifact pack corrupted", Artifact("packs/", Some("XXXX"))),
        ("template on record deleted", Artifact("blobs/", None)),
        ("template on record corrupted", Artifact("blobs/", Some("XXXX"))),
        ("code zip deleted", Artifact("lambda/", None)),
        ("code zip replaced in place", Artifact("lambda/", Some("XXXX"))),
        ("pointer to the release deleted", Artifact(release::CURRENT_KEY, None)),
        ("pointer to the release garbled", Artifact(release::CURRENT_KEY, Some("{"))),
        ("record of the release deleted", Artifact("releases/1-", None)),
        ("artifact bucket deleted", Bucket(ARTIFACTS)),
        ("site bucket deleted", Bucket(PAGES)),
        ("stack in UPDATE_ROLLBACK_FAILED", Stack("api", "UPDATE_ROLLBACK_FAILED")),
        ("stack in ROLLBACK_COMPLETE", Stack(SITE, "ROLLBACK_COMPLETE")),
    ];
    for stack in ["bootstrap", "data", "auth", SITE] {
        rows.push(("termination protection of a stack off", Unprotected(stack)));
    }
    for stack in ["bootstrap", "data", "auth", "mail", "api", SITE] {
        rows.push(("stack deleted", Stack(stack, "DELETE_COMPLETE")));
    }
    rows
}

/// What somebody added.
fn of_additions() -> Vec<(&'static str, How)> {
    let (function, pool) = (function(), "spaceduck-auth-UserPool".to_owned());
    vec![
        ("AdministratorAccess on the function's role", attached(FUNCTION_ROLE, ADMIN)),
        ("AdministratorAccess on CloudFormation's role", attached(STACK_ROLE, ADMIN)),
        ("inline policy added to the function's role", inlined(FUNCTION_ROLE, "more")),
        ("inline policy added to CloudFormation's role", inlined(STACK_ROLE, "more")),
        (
            "alias weights: half of the calls to other code",
            Added(Extra::Weights { function: function.clone(), to: "version 1 gets 50 %".into() }),
        ),
        ("`lambda:AddPermission *`", permission(None, "open", "*")),
        ("permission on the alias for another account", permission(Some("live"), "x", "4444")),
        ("function URL without auth", url(None, "NONE")),
        ("function URL on the alias, with auth", url(Some("live"), "AWS_IAM")),
        (
            "reserved concurrency 0",
            Added(Extra::Concurrency { function: function.clone(), limit: 0 }),
        ),
        ("reserved concurrency 5", Added(Extra::Concurrency { function, limit: 5 })),
        (
            "extra Cognito client",
            Added(Extra::Client { pool, id: "c1".into(), name: "test".into() }),
        ),
        ("CORS on the artifact bucket", cors(Place::Home, "spaceduck-bootstrap-ArtifactBucket")),
        ("CORS on a site's bucket", cors(Place::Edge, "spaceduck-site-duckgalaxy-SiteBucket")),
        ("stray queue", Stray("arn:aws:sqs:eu-central-1:111122223333:spaceduck-old")),
        ("stray table", Stray("arn:aws:dynamodb:eu-central-1:111122223333:table/spaceduck-x")),
        ("tagged table `my-prod`", Stray("arn:aws:dynamodb:eu-central-1:1:table/my-prod")),
        (
            "tagged table `old-spaceduck-ducklings`",
            Stray("arn:aws:dynamodb:eu-central-1:1:table/old-spaceduck-ducklings"),
        ),
        ("tagged stack of another name", Stray("arn:aws:cloudformation:eu-central-1:1:stack/x/1")),
        (
            "extra API route or integration",
            Unchecked("API Gateway's routes are not listed; a route still needs the integration"),
        ),
        (
            "tagged topic in a third Region",
            Unchecked("only the galaxy's Region and us-east-1 are asked"),
        ),
        (
            "permission on one version of the function",
            Unchecked("only the function and its alias are asked"),
        ),
        ("account-wide settings, such as S3's public access block", Unchecked("not the galaxy's")),
        ("operator made by hand", Design("people are data; `spaceduck operator list` shows them")),
        ("a table's items edited by hand", Design("data, not what was installed")),
    ]
}

/// With an address for alarms, so that the subscription is there.
const YAML: &str = "mail:\n  alarms: ops@example.com\n";

async fn install(account: &Arc<Account>, code: &str) {
    reach_of(account, Goal::Present, code, YAML).await.unwrap();
}

/// A galaxy of two releases, broken.
struct Broken {
    account: Arc<Account>,
    /// What a look must name.
    item: String,
}

#[expect(clippy::too_many_lines, reason = "one line for each way to break something")]
async fn play(how: &How) -> Option<Broken> {
    if matches!(how, Unchecked(_) | Design(_)) {
        return None;
    }
    let account = account();
    install(&account, "a").await;
    install(&account, "b").await;
    let resource = |stack: &str, id: &str, state| {
        account.meddle(Meddling::Resource(format!("spaceduck-{stack}"), id.to_owned(), state));
        format!("{stack}.{id}")
    };
    let item = match how {
        Set(stack, id, property) => {
            let path = format!("/{property}");
            let differs = vec![(path, "as installed".to_owned(), "another one".to_owned())];
            resource(stack, id, DriftState::Modified(differs))
        }
        Gone(stack, id) => resource(stack, id, DriftState::Deleted),
        Failed(stack, id) => {
            resource(stack, id, DriftState::Failed("a right is missing".to_owned()))
        }
        Stack(stack, code) => {
            account.put(&format!("spaceduck-{stack}"), code, &[]);
            (*stack).to_owned()
        }
        Unprotected(stack) => {
            let place = if *stack == SITE { Place::Edge } else { Place::Home };
            let name = format!("spaceduck-{stack}");
            account.world().stacks.protect(place, &name, false).await.unwrap();
            (*stack).to_owned()
        }
        Header(name, value) => {
            let headers = BTreeMap::from([((*name).to_owned(), (*value).to_owned())]);
            account.meddle(Meddling::Headers(PAGES.into(), "index.html".into(), headers));
            "duckgalaxy/index.html".to_owned()
        }
        Page(key, content, kind, cache) => {
            let object = content.map(|bytes| object(key, bytes.as_bytes(), kind, cache));
            account.meddle(Meddling::Object(PAGES.into(), (*key).to_owned(), object));
            format!("duckgalaxy/{key}")
        }
        Artifact(beginning, content) => {
            let key = artifact(&account, beginning).await;
            let json = "application/json";
            let object = content.map(|bytes| object(&key, bytes.as_bytes(), json, "no-store"));
            account.meddle(Meddling::Object(ARTIFACTS.into(), key.clone(), object));
            format!("artifacts/{key}")
        }
        Bucket(name) => {
            account.meddle(Meddling::Bucket((*name).to_owned()));
            if *name == ARTIFACTS { "artifacts".to_owned() } else { "duckgalaxy".to_owned() }
        }
        Parameter(name, content) => {
            let path = format!("/spaceduck/{name}");
            account.meddle(match content {
                None => Meddling::Secret(path.clone()),
                Some(other) => Meddling::OtherSecret(path.clone(), (*other).to_owned()),
            });
            path
        }
        Added(extra) => {
            account.meddle(Meddling::Added(extra.clone()));
            String::new()
        }
        Stray(arn) => {
            account.stray(arn);
            (*arn).to_owned()
        }
        Live => {
            account.meddle(Meddling::Live("1".into()));
            "function".to_owned()
        }
        Unchecked(_) | Design(_) => return None,
    };
    Some(Broken { account, item })
}

fn object(key: &str, bytes: &[u8], kind: &str, cache: &str) -> Object {
    Object {
        key: key.into(),
        bytes: bytes.to_vec().into(),
        content_type: kind.into(),
        cache_control: cache.into(),
    }
}

/// An object of the installed release by how its key begins.
async fn artifact(account: &Arc<Account>, beginning: &str) -> String {
    let (_, observed) = job_of(account, Goal::Present, "b", YAML).await.unwrap();
    let manifest = observed.current.unwrap();
    match beginning {
        "packs/" => {
            let page = &manifest.sites["duckgalaxy"].files["index.html"].sha256;
            manifest.keeper(page)
        }
        "blobs/" => release::blob_key(&manifest.template),
        "lambda/" => format!("lambda/{}.zip", manifest.code),
        "releases/1-" => manifest.key(),
        key => key.to_owned(),
    }
}

/// What a look finds, and the job that goes by the record.
async fn look(account: &Arc<Account>) -> (Vec<Finding>, Arc<Job>) {
    let (looking, observed) = job_of(account, Goal::Present, "b", YAML).await.unwrap();
    let code = hex(&Sha256::digest(b"b"));
    let assets = account.world().assets;
    let record = release::look(assets.as_ref(), ARTIFACTS, Some(&code)).await.unwrap();
    let job = drift::view(&looking, &observed.stacks, &record);
    let mut found = drift::inspect(&job, &observed.stacks, &record).await.unwrap();
    drift::mark_kept(&job, &mut found).await.unwrap();
    (found, job)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Does what a finding names.
async fn mend(account: &Arc<Account>, finding: &Finding, found: &[Finding], job: &Arc<Job>) {
    let command = finding.command().unwrap_or_else(|| panic!("{finding:?} names no command"));
    let items = [finding.item()];
    if command == "spaceduck install" {
        install(account, "b").await;
    } else if command == "spaceduck install --confirm spaceduck" {
        reach_typed_of(account, Goal::Present, "b", YAML).await.unwrap();
    } else if command.starts_with("spaceduck repair --keep ") {
        drift::keep(job, found, &items).await.unwrap();
    } else {
        assert!(command.starts_with("spaceduck repair "), "{command}");
        for (_, extra) in drift::extras(found, &items) {
            account.world().inspection.remove(extra).await.unwrap();
        }
        execute::run(&drift::repair(found, &items), job).await.unwrap();
    }
}

#[tokio::test]
async fn every_break_is_found_and_its_command_mends_it() {
    for (what, how) in rows() {
        let Some(Broken { account, item }) = play(&how).await else { continue };
        let (mut found, mut job) = look(&account).await;
        let named = |one: &Finding| one.item() == item || (item.is_empty() && one.is_drift());
        assert!(found.iter().any(named), "{what}: not found: {found:#?}");
        if matches!(how, Failed(..)) {
            assert!(!found.iter().any(Finding::is_drift), "{what}: {found:#?}");
            continue;
        }
        for round in 0.. {
            let Some(first) = found.iter().find(|one| one.is_drift()) else { break };
            assert!(round < 12, "{what}: {found:#?}");
            mend(&account, first, &found, &job).await;
            let (left, now) = look(&account).await;
            let same = |one: &Finding| {
                one.is_drift() && one.subject == first.subject && one.kind == first.kind
            };
            assert!(!left.iter().any(same), "{what}: {first:?} is left: {left:#?}");
            (found, job) = (left, now);
        }
    }
}

fn rows() -> Vec<(&'static str, How)> {
    let resources = of_data().into_iter().chain(of_api()).chain(of_others());
    resources.chain(of_contents()).chain(of_additions()).collect()
}

/// One row for each break, with what a look says of it.
#[tokio::test]
async fn the_table_of_breaks_is_fresh() {
    let mut table = String::from("| what was changed | drift says | by |\n| --- | --- | --- |\n");
    let (mut all, mut silent) = (0, 0);
    for (what, how) in rows() {
        all += 1;
        let (says, by) = match &how {
            Set(..) | Gone(..) => ("found", "CloudFormation's comparison"),
            Failed(..) => ("unchecked", "CloudFormation's comparison, with its reason"),
            Stack(..) | Unprotected(_) => ("found", "the stack's state"),
            Page(..) => ("found", "a listing with MD5 and times"),
            Header(..) => ("found", "the object's headers, as it was written since"),
            Artifact(..) => ("found", "the artifact bucket, by SHA-256"),
            Bucket(..) => ("found", "the bucket's name"),
            Parameter(..) => ("found", "the parameter, and a fingerprint of the secret"),
            Added(..) => ("found", "a list of what was added beside the templates"),
            Stray(..) => ("found", "the galaxy's tag"),
            Live => ("found", "the live version's SHA-256"),
            Unchecked(why) => {
                silent += 1;
                ("not looked at", *why)
            }
            Design(why) => ("no drift", *why),
        };
        let what = match &how {
            Stack(stack, "DELETE_COMPLETE") | Unprotected(stack) => format!("{what}: `{stack}`"),
            _ => what.to_owned(),
        };
        writeln!(table, "| {what} | {says} | {by} |").unwrap();
    }
    assert!(all >= 105 && silent <= 7, "{all} rows, {silent} not looked at");
    publish(&table);
}

#[expect(clippy::disallowed_methods, reason = "tests are told to write what they compare with")]
fn publish(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/drift.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once("| what was changed |").unwrap();
    let tail = rest.split_once("\n\n").map_or("", |(_, tail)| tail);
    let tail = if tail.is_empty() { String::new() } else { format!("\n{tail}") };
    let fresh = format!("{head}{table}{tail}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    } else {
        assert_eq!(page, fresh, "docs/drift.md is stale: run `cargo xtask docs`");
    }
}

/// A page that was not written since it was stored costs no request of its own.
#[tokio::test]
async fn a_look_at_untouched_pages_is_a_listing() {
    let account = account();
    install(&account, "a").await;
    look(&account).await;
    account.hiccup(None);
    look(&account).await;
    let untouched = account.hiccup(None);
    for key in ["index.html", "config.json"] {
        let headers = BTreeMap::from([("Content-Encoding".to_owned(), "br".to_owned())]);
        account.meddle(Meddling::Headers(PAGES.into(), key.into(), headers));
    }
    account.hiccup(None);
    let (found, _) = look(&account).await;
    let touched = account.hiccup(None);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(touched, untouched + 2, "one look for each page that was written since");
}
