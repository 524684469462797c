//! Every error that the services' models list for an operation that the Beak calls: how often the
//! call is made, and what becomes of the error. One without a decision fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use beak_api::jws::Signer as _;
use beak_core::BeakError;
use beak_core::duckling::Egg;
use beak_core::mail::Mail;
use beak_core::newsletter::Token;
use beak_core::person::{DisplayName, Password};
use beak_core::ports::{
    AccountId, Accounts as _, Identity as _, Limits as _, Page, SignedUp, Store as _,
};

use super::*;
use crate::failure::PASSING;

/// What says that the program, a template or a change to what it made is wrong: 500, and an alarm.
const WRONG: [&str; 22] = [
    // Names, parameters and rights, of any service.
    "BadRequestException",
    "NotFoundException",
    "ResourceNotFoundException",
    // DynamoDB's. There are no local indexes, and each token goes with one transaction.
    "IdempotentParameterMismatchException",
    "ItemCollectionSizeLimitExceededException",
    // Cognito's: triggers, text messages, firewalls and second factors that no template sets.
    "ForbiddenException",
    "InvalidEmailRoleAccessPolicyException",
    "InvalidLambdaResponseException",
    "InvalidSmsRoleAccessPolicyException",
    "InvalidSmsRoleTrustRelationshipException",
    "InvalidUserPoolConfigurationException",
    "MFAMethodNotFoundException",
    "OperationNotEnabledException",
    "UnexpectedLambdaException",
    "UnsupportedOperationException",
    "UserLambdaValidationException",
    // KMS's.
    "DryRunOperationException",
    "InvalidArnException",
    "InvalidGrantTokenException",
    "InvalidKeyUsageException",
    "KMSInvalidStateException",
    "InvalidCiphertextException",
];

/// What a caller hears of an error that has an answer of its own: operation, codes, answer.
const ANSWERED: [(&str, &[&str], &str); 24] = [
    ("PutItem", &["ConditionalCheckFailedException"], "500"),
    ("UpdateItem", &["ConditionalCheckFailedException"], "refused"),
    // None of these has a condition.
    ("DeleteItem", &["ConditionalCheckFailedException"], "500"),
    ("TransactWriteItems", &["TransactionCanceledException"], "503"),
    ("DescribeUserPoolClient", &["InvalidParameterException", "NotAuthorizedException"], "500"),
    ("SignUp", &["UsernameExistsException"], "waiting"),
    ("SignUp", &["CodeDeliveryFailureException", "LimitExceededException"], "unsent"),
    ("SignUp", &["InvalidParameterException"], "400"),
    ("SignUp", &["InvalidPasswordException"], "422"),
    ("SignUp", &["NotAuthorizedException"], "500"),
    (
        "AdminGetUser",
        &["InvalidParameterException", "NotAuthorizedException", "UserNotFoundException"],
        "no",
    ),
    ("AdminUserGlobalSignOut", &["UserNotFoundException"], "done"),
    ("AdminUserGlobalSignOut", &["InvalidParameterException", "NotAuthorizedException"], "500"),
    ("AdminDeleteUser", &["UserNotFoundException"], "done"),
    ("AdminDeleteUser", &["InvalidParameterException", "NotAuthorizedException"], "500"),
    (
        "AdminInitiateAuth",
        &[
            "InvalidParameterException",
            "NotAuthorizedException",
            "PasswordResetRequiredException",
            "UserNotConfirmedException",
            "UserNotFoundException",
        ],
        "no",
    ),
    ("ConfirmSignUp", &CODE_IS_NO, "no"),
    ("ConfirmForgotPassword", &CODE_IS_NO, "no"),
    ("AdminSetUserPassword", &["UserNotFoundException"], "no"),
    (
        "AdminSetUserPassword",
        &["InvalidPasswordException", "PasswordHistoryPolicyViolationException"],
        "422",
    ),
    ("AdminSetUserPassword", &["InvalidParameterException", "NotAuthorizedException"], "500"),
    ("ResendConfirmationCode", &NOT_SENT, "done"),
    ("ForgotPassword", &NOT_SENT, "done"),
    ("SendEmail", &["MessageRejected"], "done"),
];

/// A code that is wrong, or whose owner is in no state to use it: callers may not tell these apart.
const CODE_IS_NO: [&str; 11] = [
    "AliasExistsException",
    "CodeMismatchException",
    "ExpiredCodeException",
    "InvalidParameterException",
    "InvalidPasswordException",
    "LimitExceededException",
    "NotAuthorizedException",
    "PasswordHistoryPolicyViolationException",
    "TooManyFailedAttemptsException",
    "UserNotConfirmedException",
    "UserNotFoundException",
];

const NOT_SENT: [&str; 5] = [
    "CodeDeliveryFailureException",
    "InvalidParameterException",
    "LimitExceededException",
    "NotAuthorizedException",
    "UserNotFoundException",
];

/// What passes and is not asked for again within the same call, and why that is right.
const ASKED_ONCE: [(&str, &str); 6] = [
    ("AccountSuspendedException", "Amazon has to lift it"),
    ("DependencyTimeoutException", "KMS has waited already"),
    ("DisabledException", "somebody has to enable the key"),
    ("KeyUnavailableException", "the caller's next call asks again"),
    ("MailFromDomainNotVerifiedException", "the DNS record has to come back"),
    ("SendingPausedException", "somebody has to lift it"),
];

/// AWS: refuses one operation, and answers all others well enough.
#[derive(Clone, Debug)]
pub(super) struct Script(Arc<Mutex<Played>>);

#[derive(Debug)]
struct Played {
    operation: String,
    refusal: (u16, String),
    /// How many of its first requests get no answer at all.
    silent: usize,
    /// How long every answer takes.
    slow: std::time::Duration,
    asked: usize,
}

impl Script {
    pub(super) fn new(operation: &str, code: &str, status: u16, silent: usize) -> Self {
        let refusal = (status, json!({"__type": code, "message": code}).to_string());
        let (operation, slow) = (operation.to_owned(), std::time::Duration::ZERO);
        Self(Arc::new(Mutex::new(Played { operation, refusal, silent, slow, asked: 0 })))
    }

    pub(super) fn config(&self) -> SdkConfig {
        // Each in a Region of its own: the SDK counts retries by Region, and has only so many.
        static REGIONS: AtomicU32 = AtomicU32::new(1);
        let region = format!("eu-central-{}", REGIONS.fetch_add(1, Ordering::Relaxed));
        let credentials = Credentials::new("test", "test", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new(region))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                credentials,
            ))
            .http_client(self.clone())
            .build();
        patience::patient(&config)
    }

    pub(super) fn asked(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asked
    }
}

/// The operation that a request is for.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let is_account = request.uri().ends_with("/v2/email/account");
    if is_account { "GetAccount".into() } else { "SendEmail".into() }
}

/// An answer that lets a call go on.
fn answer(to: &str, refused: &str) -> (u16, Value) {
    let user = json!({
        "Username": "sub",
        "UserStatus": "CONFIRMED",
        "UserAttributes": [{"Name": "sub", "Value": "sub"}],
    });
    match to {
        "DescribeUserPoolClient" => (200, json!({"UserPoolClient": {"ClientSecret": "secret"}})),
        "AdminGetUser" if refused == "SignUp" => (400, json!({"__type": "UserNotFoundException"})),
        "AdminGetUser" => (200, user),
        "Query" => {
            (200, json!({"Items": [{"duckling_id": {"S": "dkl_01KAVQ7M3Z5E8R1T4Y6W9XCBNP"}}]}))
        }
        "UpdateItem" => (200, json!({"Attributes": {"hits": {"N": "1"}, "spare": {"N": "0"}}})),
        _ => (200, json!({})),
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = operation(&request);
        let (slow, status, body) = {
            let mut played = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if asked == played.operation {
                played.asked += 1;
                if played.asked <= played.silent {
                    return HttpConnectorFuture::new(std::future::pending());
                }
                let (status, body) = played.refusal.clone();
                (played.slow, status, body)
            } else {
                let (status, body) = answer(&asked, &played.operation);
                (played.slow, status, body.to_string())
            }
        };
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::new(async move {
            #[expect(clippy::disallowed_methods, reason = "it plays a slow answer")]
            tokio::time::sleep(slow).await;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

impl HttpClient for Script {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        prefix: "swan".into(),
        user_pool: "eu-central-1_pool".into(),
        client: "client".into(),
        certificate_key: "key".into(),
        from: Some("swan@example.com".into()),
        config_set: None,
        release: "1".into(),
        issuer: "https://swan.example.com".into(),
        peck_lifetime: beak_core::Duration::hours(24),
        operators_need_factor: false,
        shield: false,
    }
}

/// The galaxy of these settings, as the function makes it.
pub(super) fn galaxy(ports: Ports, settings: &Settings) -> Arc<Galaxy> {
    let settings = beak_core::Settings {
        issuer: settings.issuer.clone(),
        version: GALAXY_VERSION.into(),
        release: "1".into(),
        function_version: None,
        peck_lifetime: settings.peck_lifetime,
        answer_step: ANSWER_STEP,
        operators_need_factor: false,
    };
    Arc::new(Galaxy::new(ports, settings))
}

/// A stack that stores no parameter.
struct Empty;

#[async_trait]
impl parameters::Parameters for Empty {
    async fn parameter(&self, _: &str) -> beak_core::Result<Option<String>> {
        Ok(None)
    }
}

fn people(config: &SdkConfig, settings: &Settings) -> identity::Cognito {
    let secret = client_secret::ClientSecret::new(Arc::new(Empty), config, settings);
    identity::Cognito::new(config, settings, Arc::new(secret))
}

fn heard<T>(result: beak_core::Result<T>, of: impl Fn(T) -> &'static str) -> String {
    match result {
        Ok(value) => of(value).to_owned(),
        Err(BeakError::Unavailable(_)) => "503".into(),
        Err(BeakError::Internal(_) | BeakError::Damaged(_)) => "500".into(),
        Err(BeakError::WeakPassword(_)) => "422".into(),
        Err(BeakError::Invalid { .. }) => "400".into(),
        Err(other) => format!("{other:?}"),
    }
}

/// What whoever needs an operation hears.
async fn call(script: &Script, operation: &str) -> String {
    let (config, settings) = (script.config(), settings());
    let dynamo = Client::from_conf(patience::dynamodb(&config));
    let store = DynamoStore::new(dynamo, "swan".into(), Arc::new(SystemEntropy));
    let people = people(&config, &settings);
    let email = Email::parse("swan@example.com").expect("an address");
    let password = || Password::attempt("a sentence for ducks".into()).expect("a password");
    let code = OtpCode::parse("123456").expect("a code");
    let (account, now) = (AccountId::new("sub"), SystemClock.now());
    let (done, yes) = (|()| "done", |is| if is { "yes" } else { "no" });
    let some = |is: bool| if is { "yes" } else { "no" };
    let page = Page { after: None, limit: 1 };
    match operation {
        "GetItem" => heard(store.duckling_by_email(&email).await, |d| some(d.is_some())),
        "PutItem" => heard(store.settles_since(now).await, |_| "done"),
        "UpdateItem" => {
            let leases = Leases::new(Arc::new(store));
            let taken = leases.take("a", 1, now).await;
            heard(taken, |taken| if taken.granted { "done" } else { "refused" })
        }
        "DeleteItem" => heard(store.forget_account(&account).await, done),
        "Query" | "BatchGetItem" => heard(store.tier_requests(&page).await, |_| "done"),
        "Scan" => heard(store.ducklings(&page).await, |_| "done"),
        "TransactWriteItems" => {
            let egg = Egg {
                email,
                display_name: DisplayName::parse("Swan").expect("a name"),
                created_at: now,
                expires_at: now + beak_core::Duration::hours(24),
            };
            heard(store.lay_egg(&egg).await, done)
        }
        "DescribeTable" => heard(store.tables().await, |_| "done"),
        "SendEmail" | "GetAccount" => {
            call_ses(&mailer::Ses::new(&config, &settings), operation).await
        }
        "DescribeUserPoolClient" | "ResendConfirmationCode" => {
            heard(people.resend(&email).await, done)
        }
        "SignUp" => heard(people.sign_up(&email, &password()).await, |made| match made {
            SignedUp::Made(_) => "made",
            SignedUp::Waiting => "waiting",
            SignedUp::Known => "known",
            SignedUp::Unsent => "unsent",
        }),
        "AdminGetUser" => heard(people.is_older(&account, now).await, yes),
        "AdminUserGlobalSignOut" => heard(people.sign_out_all(&email, &account).await, done),
        "AdminDeleteUser" => heard(people.delete(&email).await, done),
        "AdminInitiateAuth" => {
            heard(people.sign_in(&email, &password()).await, |e| some(e.is_some()))
        }
        "ConfirmSignUp" => heard(people.confirm(&email, &code).await, |a| some(a.is_some())),
        "AdminSetUserPassword" => {
            heard(people.set_password(&email, &account, &password()).await, yes)
        }
        "ForgotPassword" => heard(people.forgot(&email).await, done),
        "ConfirmForgotPassword" => {
            heard(people.reset(&email, &code, &password()).await, |a| some(a.is_some()))
        }
        "Sign" => heard(signer::KmsSigner::new(&config, "key".into()).sign(b"x").await, |_| "done"),
        "GetPublicKey" => {
            heard(signer::KmsSigner::new(&config, "key".into()).public_key().await, |_| "done")
        }
        other => panic!("no call is played that needs {other}: add one"),
    }
}

async fn call_ses(ses: &mailer::Ses, operation: &str) -> String {
    if operation == "GetAccount" {
        return heard(ses.state().await, |_| "done");
    }
    let email = Email::parse("swan@example.com").expect("an address");
    let mail = Mail::newsletter(email, "https://x.example", &Token::new([1; 32]));
    heard(ses.send(&mail.expect("a mail")).await, |()| "done")
}

/// Operation → where the Beak calls it, by service, as its own code says.
fn called() -> BTreeMap<&'static str, BTreeSet<String>> {
    const FILES: [(&str, &str); 5] = [
        ("client_secret", "cognito-idp"),
        ("dynamo", "dynamodb"),
        ("identity", "cognito-idp"),
        ("mailer", "sesv2"),
        ("signer", "kms"),
    ];
    let mut called: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(&source).expect("below").display().to_string();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if name.starts_with("tests") {
                continue;
            }
            let service = FILES.iter().find(|(start, _)| name.starts_with(start));
            let text = std::fs::read_to_string(&path).expect("a file");
            let code: String = text.split_whitespace().collect();
            for part in code.split("Call::json(\"").skip(1) {
                let (operation, _) = part.split_once('"').expect("a name");
                let (_, service) = service.unwrap_or_else(|| panic!("{name}: which service?"));
                called.entry(service).or_default().insert(operation.to_owned());
            }
            for part in code.split("client.").skip(1) {
                let Some((operation, _)) = part.split_once("()") else { continue };
                let is_word = operation.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                let known = ["client_secret", "as_bytes", "clone"];
                if is_word && !operation.is_empty() && !known.contains(&operation) {
                    let (_, service) = service.unwrap_or_else(|| panic!("{name}: which service?"));
                    called.entry(service).or_default().insert(pascal(operation));
                }
            }
        }
    }
    called
}

fn pascal(name: &str) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(word).collect()
}

/// What an operation's error becomes: 503, 500, or the answer of whoever makes the call.
fn decision(operation: &str, code: &str) -> Option<&'static str> {
    let row = ANSWERED.iter().find(|(of, codes, _)| *of == operation && codes.contains(&code));
    row.map(|(.., answer)| *answer)
        .or_else(|| PASSING.contains(&code).then_some("503"))
        .or_else(|| WRONG.contains(&code).then_some("500"))
}

#[tokio::test(start_paused = true)]
async fn every_error_of_every_operation_has_a_decision() {
    let (mut played, mut once) = (0, BTreeSet::new());
    for (service, operations) in called() {
        let listed = python_with("tests/judge.py", &["errors", service], &json!([]));
        let listed: BTreeMap<String, BTreeMap<String, u16>> =
            serde_json::from_str(&listed).expect("JSON");
        for operation in operations {
            let errors = listed.get(&operation).unwrap_or_else(|| panic!("{service} {operation}"));
            for (code, status) in errors {
                // Models leave the usual status out.
                let fault = code.starts_with("Internal") || code == "KMSInternalException";
                let status = if fault { 500 } else { *status };
                let decided = decision(&operation, code);
                let decided = decided.unwrap_or_else(|| panic!("undecided: {operation} {code}"));
                let script = Script::new(&operation, code, status, 0);
                let said = call(&script, &operation).await;
                assert_eq!(said, decided, "{operation} {code}");
                let asked = script.asked();
                assert!(asked > 0, "{operation} {code}: never asked");
                if decided == "503" && asked == 1 && operation != "GetAccount" {
                    once.insert(code.clone());
                }
                if decided != "503" {
                    assert_eq!(asked, 1, "{operation} {code}: it was said for good");
                }
                played += 1;
            }
        }
    }
    assert!(played > 200, "{played}");
    assert_eq!(once, ASKED_ONCE.map(|(code, _)| code.to_owned()).into());
}

/// A call that hangs is given up and made again, within the time that the gateway gives.
#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_made_again() {
    for operation in ["GetItem", "TransactWriteItems", "Sign", "AdminInitiateAuth"] {
        let script = Script::new(operation, "NotAuthorizedException", 400, 1);
        let begun = tokio::time::Instant::now();
        call(&script, operation).await;
        assert_eq!(script.asked(), 2, "{operation}");
        assert!(begun.elapsed() < patience::ANSWER_WITHIN, "{operation}: {:?}", begun.elapsed());
        // One that hangs for good is over in time as well.
        let script = Script::new(operation, "NotAuthorizedException", 400, usize::MAX);
        let begun = tokio::time::Instant::now();
        assert_eq!(call(&script, operation).await, "503", "{operation}");
        assert!(begun.elapsed() < patience::ANSWER_WITHIN, "{operation}: {:?}", begun.elapsed());
    }
}

/// Calls that are each in time, and together are not: the answer is ours, not the gateway's.
#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_refused_in_time() {
    let (script, settings) = (Script::new("none", "", 400, 0), settings());
    script.0.lock().expect("unused").slow = std::time::Duration::from_millis(1900);
    let galaxy = galaxy(ports(&script.config(), &settings), &settings);
    let limit = std::time::Duration::from_secs(3);
    let router = beak_api::router_within(galaxy, limit);
    let request = axum::http::Request::get("/beak/certificates/crt_01KAVQ8H2D4F6G8J0K2M4N6P8R");
    let request = request.header("origin", "https://x.example").body(Body::empty());
    let begun = tokio::time::Instant::now();
    let Ok(answer) = router.oneshot(request.expect("a request")).await;
    assert_eq!((answer.status().as_u16(), begun.elapsed()), (503, limit));
    assert!(answer.headers().contains_key("x-request-id"), "{answer:?}");
    assert!(answer.headers().contains_key("access-control-allow-origin"), "{answer:?}");
    let body = axum::body::to_bytes(answer.into_body(), 4096).await.expect("a body");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"], "unavailable");
}
