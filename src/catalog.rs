//! The table of stacks: template, what is filled in, what comes from other stacks.

use std::collections::BTreeMap;

use galaxy_mail::name::Domain;

use crate::config::{Config, Throttles};
use crate::model::{AccountId, Front, GalaxyName, Part, Place, Region, Stack, StackSeen, TAG};
use crate::render::Fill;
use crate::yaml::Node;

/// The Lambda function's code, known by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// SHA-256 of the zip, as hex.
    pub sha256: String,
    /// `x86_64` or `arm64`, as Lambda spells it.
    pub architecture: &'static str,
}

impl Code {
    /// Where it is kept in the artifact bucket. The key is the content, so it never changes.
    #[must_use]
    pub fn key(&self) -> String {
        format!("lambda/{}.zip", self.sha256)
    }
}

/// What is known about a galaxy before anything runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The checked configuration.
    pub config: Config,
    /// The account, where known. Templates can be read without one.
    pub account: Option<AccountId>,
    /// The home Region, where known.
    pub region: Option<Region>,
    /// The code, where it is at hand.
    pub code: Option<Code>,
    /// The release that this program carries.
    pub release: String,
}

/// A value of a stack that another stack's output gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// The parameter.
    pub parameter: &'static str,
    /// The stack that knows it.
    pub stack: Stack,
    /// The output that carries it.
    pub output: &'static str,
}

/// The template's text.
#[must_use]
pub fn template(stack: Stack) -> &'static str {
    match stack {
        Stack::Bootstrap => include_str!("../templates/bootstrap.yaml"),
        Stack::Data => include_str!("../templates/data.yaml"),
        Stack::Auth => include_str!("../templates/auth.yaml"),
        Stack::Mail => include_str!("../templates/mail.yaml"),
        Stack::Api => include_str!("../templates/api.yaml"),
        Stack::ApiDomain => include_str!("../templates/api-domain.yaml"),
        Stack::ApiShield => include_str!("../templates/api-shield.yaml"),
        Stack::Site(_) => include_str!("../templates/site.yaml"),
    }
}

/// What is filled into the template.
#[must_use]
pub fn fill(stack: Stack, facts: &Facts) -> Fill {
    let config = &facts.config;
    let mut fill = Filler(Fill::default());
    fill.text("Prefix", config.name.as_str());
    // Only a name without a reference can be adopted from an earlier installation.
    // Source: "Import AWS resources into a CloudFormation stack automatically", User Guide.
    if let (Some(account), Some(home)) = (&facts.account, &facts.region) {
        let region = if stack.place() == Place::Home { home.clone() } else { Region::edge() };
        fill.text("AWS::AccountId", &account.to_string());
        fill.text("AWS::Region", region.as_str());
    }
    match stack {
        Stack::Bootstrap => {}
        Stack::Data => {
            fill.text("DeletionProtection", "true");
            fill.text("PointInTimeRecovery", if config.point_in_time { "true" } else { "false" });
            fill.number("MaxRru", config.cost.reads_per_second);
            fill.number("MaxWru", config.cost.writes_per_second);
        }
        Stack::Auth => {
            fill.text("DeletionProtection", "ACTIVE");
            fill_sender(&mut fill, config);
        }
        Stack::Mail => {
            let mail = &config.mail;
            fill.text("MailDomain", mail.domain.as_ref().map_or("", Domain::as_str));
            fill.text("ManageIdentity", if mail.seen.foreign { "false" } else { "true" });
            fill.text("MailFromSubdomain", &mail.bounce);
            fill.text("AlarmEmail", mail.alarms.as_deref().unwrap_or_default());
        }
        Stack::Api => fill_api(&mut fill, facts),
        Stack::ApiDomain => fill_domain(&mut fill, config, Front::Api),
        Stack::ApiShield => {
            fill.text("PriceClass", &config.cost.price_class);
            fill.text("Release", &facts.release);
            if let Some(home) = &facts.region {
                fill.text("HomeRegion", home.as_str());
            }
        }
        Stack::Site(site) => {
            let front = Front::Site(site);
            fill.text("SiteName", site.name());
            fill.text("AccessLogs", if config.site_access_logs { "true" } else { "false" });
            fill.number("HstsSeconds", config.domains.hsts(front));
            fill.text("PriceClass", &config.cost.price_class);
            fill_domain(&mut fill, config, front);
            // The header allows any API of the Region, the page's own policy only this one: the
            // site's stack must not wait for the API's.
            let region = facts.region.as_ref().map_or("*", Region::as_str);
            let mut sources = format!("https://*.execute-api.{region}.amazonaws.com");
            if let Some(domain) = config.domains.names.get(&Front::Api) {
                sources = format!("{sources} https://{domain}");
            }
            if config.shield.is_on() {
                sources.push_str(" https://*.cloudfront.net");
            }
            fill.text("ConnectSrc", &sources);
        }
    }
    fill.0
}

/// The domain with its certificate, once that is issued; until then neither.
fn fill_domain(fill: &mut Filler, config: &Config, front: Front) {
    let attached = config.domains.attach(front);
    let (domain, arn) =
        attached.map_or((String::new(), ""), |(domain, arn)| (domain.to_string(), arn));
    fill.text("DomainName", &domain);
    fill.text("CertificateArn", arn);
}

/// Whether a galaxy of this configuration has the stack.
#[must_use]
pub fn is_wanted(stack: Stack, config: &Config) -> bool {
    match stack {
        Stack::ApiDomain => config.domains.attach(Front::Api).is_some(),
        Stack::ApiShield => config.shield.is_on(),
        _ => true,
    }
}

/// Who sends the codes: Cognito, or SES as soon as mail may go to everybody.
fn fill_sender(fill: &mut Filler, config: &Config) {
    let (mode, domain, from, set) = match (&config.mail.domain, config.mail.address()) {
        (Some(domain), Some(from)) if config.mail.by_ses() => (
            "DEVELOPER",
            domain.to_string(),
            format!("Space Duck <{from}>"),
            format!("{}-tx", config.name),
        ),
        _ => ("COGNITO_DEFAULT", String::new(), String::new(), String::new()),
    };
    fill.text("EmailMode", mode);
    fill.text("SesDomain", &domain);
    fill.text("FromAddress", &from);
    fill.text("ConfigSetName", &set);
}

fn fill_api(fill: &mut Filler, facts: &Facts) {
    let config = &facts.config;
    fill.text("Release", &facts.release);
    // In the sandbox SES reaches almost nobody, so nothing of ours is sent before.
    let from = config.mail.address().filter(|_| config.mail.by_ses());
    fill.text("FromAddress", &from.unwrap_or_default());
    fill.number("MemoryMb", config.memory_mb);
    let Throttles { calls, sign_in, hatch } = &config.throttles;
    for (name, throttle) in [("Calls", calls), ("SignIn", sign_in), ("Hatch", hatch)] {
        fill.number(&format!("{name}PerSecond"), throttle.per_second);
        fill.number(&format!("{name}Burst"), throttle.burst);
    }
    let factor = if config.operators_need_factor { "required" } else { "optional" };
    fill.text("OperatorSecondFactor", factor);
    fill.text("Shield", if config.shield.is_on() { "true" } else { "false" });
    fill.number("ReservedConcurrency", config.cost.parallel_calls);
    fill.number("LogRetentionDays", config.log_retention_days);
    if let Some(code) = &facts.code {
        fill.text("CodeKey", &code.key());
        fill.text("Architecture", code.architecture);
    }
}

struct Filler(Fill);

impl Filler {
    fn text(&mut self, name: &str, value: &str) {
        self.0.values.insert(name.to_owned(), Node::from(value));
    }

    fn number(&mut self, name: &str, value: i64) {
        self.0.values.insert(name.to_owned(), Node::Int(value));
    }
}

/// As [`fill`], so that deleting the stack deletes what it holds too.
#[must_use]
pub fn fill_disposable(stack: Stack, facts: &Facts) -> Fill {
    let mut filled = Filler(fill(stack, facts));
    filled.0.disposable = true;
    match stack {
        Stack::Data => filled.text("DeletionProtection", "false"),
        Stack::Auth => filled.text("DeletionProtection", "INACTIVE"),
        _ => {}
    }
    filled.0
}

/// What comes from other stacks.
#[must_use]
pub fn inputs(stack: Stack) -> Vec<Input> {
    let input = |parameter, stack, output| Input { parameter, stack, output };
    match stack {
        Stack::Api => vec![
            input("ArtifactBucket", Stack::Bootstrap, "ArtifactBucketName"),
            input("UserPoolId", Stack::Auth, "UserPoolId"),
            input("UserPoolArn", Stack::Auth, "UserPoolArn"),
            input("ApiClientId", Stack::Auth, "ApiClientId"),
            input("CertSigningKeyArn", Stack::Data, "CertSigningKeyArn"),
            input("AlarmTopicArn", Stack::Mail, "AlarmTopicArn"),
            input("ConfigSetName", Stack::Mail, "TransactionalConfigSetName"),
        ],
        Stack::ApiDomain | Stack::ApiShield => vec![input("ApiId", Stack::Api, "ApiId")],
        _ => Vec::new(),
    }
}

/// Where the function logs, and where the gateway logs the calls.
#[must_use]
pub fn log_group(galaxy: &GalaxyName, access: bool) -> String {
    if access {
        format!("/aws/vendedlogs/{galaxy}-api")
    } else {
        format!("/aws/lambda/{galaxy}-beak")
    }
}

/// What a stack is given that no other stack tells.
#[must_use]
pub fn constants(stack: Stack) -> BTreeMap<String, String> {
    match stack {
        // The new version is the live one, as soon as it is well.
        Stack::Api => BTreeMap::from([(LIVE_VERSION.to_owned(), String::new())]),
        _ => BTreeMap::new(),
    }
}

/// Parameters that keep the value that a stack has: the parameter, its value in a new stack, and
/// the value of a stack that was made before the parameter was left open.
#[must_use]
pub fn kept(stack: Stack) -> Option<(&'static str, &'static str, &'static str)> {
    // Source: "User pool feature plans", Amazon Cognito Developer Guide: Lite has sign-up and
    // sign-in with passwords, groups, own words in mails and revocation, which is all we use.
    (stack == Stack::Auth).then_some(("Tier", "LITE", "ESSENTIALS"))
}

/// The values of those parameters for a stack as it was found, or for a new one.
#[must_use]
pub fn kept_values(stack: Stack, seen: Option<&StackSeen>) -> BTreeMap<String, String> {
    let value = |(name, new, before): (&str, &str, &str)| {
        let found = |seen: &StackSeen| seen.parameters.get(name).cloned();
        let value = seen.map_or(Some(new.to_owned()), found).unwrap_or_else(|| before.to_owned());
        (name.to_owned(), value)
    };
    kept(stack).map(value).into_iter().collect()
}

/// The parameter that keeps an earlier version live while a new one is asked whether it is well;
/// also the output that tells which one is live.
pub const LIVE_VERSION: &str = "LiveVersion";

/// Whether the person's data lives in the stack, so that its template forbids deletion.
#[must_use]
pub fn keeps_data(stack: Stack) -> bool {
    matches!(stack, Stack::Data | Stack::Auth)
}

/// The tables: what each is called, and its fixed name in the account.
#[must_use]
pub fn tables(galaxy: &GalaxyName) -> BTreeMap<String, String> {
    let tables = ["eggs", "ducklings", "newsletter", "pecks", "certs", "ledger"];
    tables.into_iter().map(|table| (table.to_owned(), format!("{galaxy}-{table}"))).collect()
}

/// The bucket that a stack makes, by its fixed name; none for most.
#[must_use]
pub fn bucket(
    stack: Stack,
    galaxy: &GalaxyName,
    account: &AccountId,
    home: &Region,
) -> Option<String> {
    let (part, region) = match stack {
        Stack::Bootstrap => ("artifacts", home.clone()),
        Stack::Site(site) => (site.name(), Region::edge()),
        _ => return None,
    };
    Some(format!("{galaxy}-{part}-{account}-{region}-an"))
}

/// The permissions boundary of every role that stacks make.
#[must_use]
pub fn boundary(galaxy: &GalaxyName, account: &AccountId) -> String {
    format!("arn:aws:iam::{account}:policy/spaceduck/{galaxy}-boundary")
}

/// The stack's tags.
#[must_use]
pub fn tags(galaxy: &GalaxyName) -> BTreeMap<String, String> {
    BTreeMap::from([(TAG.to_owned(), galaxy.to_string())])
}

/// Every parameter that a galaxy may keep.
#[must_use]
pub fn parameters(galaxy: &GalaxyName) -> Vec<String> {
    let mut all = vec![
        turnstile_path(galaxy),
        hostnames_path(galaxy),
        mail_path(galaxy),
        domains_path(galaxy),
        import_path(galaxy),
        shield_path(galaxy),
    ];
    all.extend(Part::ALL.into_iter().map(|part| records_path(galaxy, part)));
    all
}

/// Where the API reads which calls came through the shield. Not a secret: it has digests.
#[must_use]
pub fn shield_path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/shield")
}

/// The shield's parameters that are drawn anew for every change: the secret, and its digest, which
/// is an output too.
pub const SHIELD_SECRET: &str = "OriginSecret";
/// See [`SHIELD_SECRET`].
pub const SHIELD_DIGEST: &str = "OriginDigest";

/// Where an import that was begun is noted.
#[must_use]
pub fn import_path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/import")
}

/// Where the API reads on which hosts a captcha may have been solved.
#[must_use]
pub fn hostnames_path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/turnstile-hostnames")
}

/// Where is kept what the walk of mail has to remember.
#[must_use]
pub fn mail_path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/mail")
}

/// The output of a stack that tells which domain leads to it.
pub const ATTACHED_DOMAIN: &str = "AttachedDomain";
/// The output of a stack that tells with which certificate it does.
pub const ATTACHED_CERTIFICATE: &str = "AttachedCertificate";

/// The stack that a domain leads to.
#[must_use]
pub fn stack_of(front: Front) -> Stack {
    match front {
        Front::Site(site) => Stack::Site(site),
        Front::Api => Stack::ApiDomain,
    }
}

/// Where is kept what has to be remembered of domains.
#[must_use]
pub fn domains_path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/domains")
}

/// Where is kept which records were made in Route 53.
#[must_use]
pub fn records_path(galaxy: &GalaxyName, part: Part) -> String {
    format!("/{galaxy}/records/{part}")
}

/// Where the API reads Turnstile's secret.
#[must_use]
pub fn turnstile_path(galaxy: &GalaxyName) -> String {
    format!("/{galaxy}/turnstile-secret")
}
