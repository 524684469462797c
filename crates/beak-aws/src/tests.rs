//! The contracts of store, limits and home, in an emulated AWS; and what the gateway vouches for.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, ExplicitAuthFlowsType, PasswordPolicyType, PreventUserExistenceErrorTypes,
    UserPoolPolicyType, UsernameAttributeType, UsernameConfigurationType, VerifiedAttributeType,
};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use beak_core::BeakError;
use beak_core::contract::accounts::Kept;
use beak_core::contract::home::{Home, Letters};
use beak_core::feedback::Reports;
use beak_core::person::{Email, OtpCode};
use beak_core::ports::{AlarmState, Alarms as _, Captcha as _, Limits, Mailer as _};
use serde_json::{Value, json};
use test_cloud::{Cloud, Proxy, Refusal, Trouble};

use super::*;

mod capacity;
mod costs;
mod cut_off;
mod earlier;
mod errors;
mod front;
mod load;
mod moves;
mod shield;

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
}

fn index(name: &str, hash: &str, range: &str) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(hash, KeyType::Hash))
        .key_schema(key(range, KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .expect("an index")
}

/// The tables of `templates/data.yaml`, as far as their keys go.
async fn create_tables(client: &Client, prefix: &str) {
    let tables = [
        ("eggs", "email", None, vec![]),
        ("ducklings", "duckling_id", None, vec![]),
        (
            "pecks",
            "peck_id",
            None,
            vec![
                index("by_target", "target_id", "peck_id"),
                index("by_source", "source_id", "peck_id"),
            ],
        ),
        ("certs", "cert_id", None, vec![index("by_duckling", "duckling_id", "issued_at")]),
        ("newsletter", "email", None, vec![]),
        ("ledger", "pk", Some("sk"), vec![]),
    ];
    for (name, hash, range, indexes) in tables {
        let mut names = vec![hash];
        names.extend(range);
        for index in &indexes {
            names.extend(index.key_schema().iter().map(KeySchemaElement::attribute_name));
        }
        names.sort_unstable();
        names.dedup();
        let definition = |name: &&str| {
            AttributeDefinition::builder()
                .attribute_name(*name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .expect("a definition")
        };
        let mut schema = vec![key(hash, KeyType::Hash)];
        schema.extend(range.map(|range| key(range, KeyType::Range)));
        client
            .create_table()
            .table_name(format!("{prefix}-{name}"))
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(names.iter().map(definition).collect()))
            .set_key_schema(Some(schema))
            .set_global_secondary_indexes(Some(indexes).filter(|list| !list.is_empty()))
            .send()
            .await
            .expect("a table");
    }
}

async fn configuration(cloud: &Cloud) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(cloud.url())
        .region("eu-central-1")
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_the_contract() {
    let cloud = Cloud::start();
    let client = Client::new(&configuration(&cloud).await);
    let number = AtomicU32::new(0);
    let new = || async {
        let prefix = format!("case{}", number.fetch_add(1, Ordering::Relaxed));
        create_tables(&client, &prefix).await;
        Arc::new(DynamoStore::new(client.clone(), prefix, Arc::new(SystemEntropy)))
    };
    let open = || async { (new().await as Arc<dyn Store>, ()) };
    beak_core::store_contract!(run open().await);
    let open_both = || async {
        let store = new().await;
        (Arc::clone(&store) as Arc<dyn Store>, store as Arc<dyn Feedback>, ())
    };
    beak_core::feedback_contract!(run open_both().await);
    let limits = Arc::new(Leases::new(new().await)) as Arc<dyn Limits>;
    beak_core::contract::calls_are_counted_exactly(limits).await;
    let open_accounts = || async {
        let store = new().await;
        let (accounts, journals) = (Arc::clone(&store), Arc::clone(&store));
        let sign_ins = Arc::clone(&store) as Arc<dyn SignIns>;
        (Kept { store, accounts, journals, sign_ins }, ())
    };
    beak_core::accounts_contract!(run open_accounts().await);
}

/// The user pool of `templates/auth.yaml`, as far as the code notices: its id and its client's.
async fn create_user_pool(config: &SdkConfig, prefix: &str) -> (String, String) {
    let client = aws_sdk_cognitoidentityprovider::Client::new(config);
    let policy = PasswordPolicyType::builder().minimum_length(12).build();
    let insensitive = UsernameConfigurationType::builder().case_sensitive(false).build();
    let pool = client
        .create_user_pool()
        .pool_name(prefix)
        .username_attributes(UsernameAttributeType::Email)
        .auto_verified_attributes(VerifiedAttributeType::Email)
        .username_configuration(insensitive.expect("complete"))
        .policies(UserPoolPolicyType::builder().password_policy(policy).build());
    let pool = pool.send().await.expect("a user pool");
    let pool = pool.user_pool().and_then(|pool| pool.id()).expect("an id").to_owned();
    let app = client
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name("beak-api")
        .generate_secret(true)
        .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled)
        .enable_token_revocation(true)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth);
    let app = app.send().await.expect("a client");
    let app = app.user_pool_client().and_then(|app| app.client_id()).expect("an id").to_owned();
    (pool, app)
}

async fn create_key(config: &SdkConfig) -> String {
    let client = aws_wire::Client::new(&aws_wire::KMS, config);
    let asked = json!({"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"});
    let key = client.ask::<Value>(aws_wire::Call::json("CreateKey", asked)).await.expect("a key");
    key["KeyMetadata"]["KeyId"].as_str().expect("its id").to_owned()
}

/// Codes are Cognito's mails, which the emulator sends nowhere: it knows one for each purpose. Our own are
/// where it keeps what SES has sent.
struct Sent {
    url: String,
    from: String,
    people: aws_sdk_cognitoidentityprovider::Client,
    user_pool: String,
}

#[async_trait]
impl Letters for Sent {
    async fn maybe_code(&self, to: &Email) -> Option<OtpCode> {
        let user = self.people.admin_get_user().user_pool_id(&self.user_pool);
        if user.username(to.as_str()).send().await.is_err() {
            return None;
        }
        Some(self.code(to).await)
    }

    async fn code(&self, to: &Email) -> OtpCode {
        // Cognito notes with the right code that the address is verified; the emulator does not.
        let verified = AttributeType::builder().name("email_verified").value("true").build();
        let noted = self.people.admin_update_user_attributes().user_pool_id(&self.user_pool);
        let noted = noted.username(to.as_str()).user_attributes(verified.expect("complete"));
        noted.send().await.expect("noted");
        OtpCode::parse("123456").expect("six digits")
    }

    async fn reset_code(&self, _: &Email) -> OtpCode {
        OtpCode::parse("654321").expect("six digits")
    }

    async fn subjects(&self, to: &Email) -> Vec<String> {
        let mut answer = ureq::get(&self.url).call().expect("an answer");
        let json: serde_json::Value = answer.body_mut().read_json().expect("JSON");
        let mails = json["messages"][test_cloud::ACCOUNT].as_array().cloned().unwrap_or_default();
        let ours = |mail: &&serde_json::Value| {
            mail["Source"] == self.from && mail["To"] == serde_json::json!([to.as_str()])
        };
        let own = mails.iter().filter(ours);
        let subjects = own.map(|mail| mail["Subject"].as_str().expect("a subject").to_owned());
        subjects.collect()
    }
}

async fn settings(
    config: &SdkConfig,
    prefix: &str,
    user_pool: &str,
    client: &str,
    from: &str,
) -> Settings {
    Settings {
        prefix: prefix.into(),
        user_pool: user_pool.into(),
        client: client.into(),
        certificate_key: create_key(config).await,
        from: Some(from.into()),
        config_set: None,
        release: "0.0.0".into(),
        issuer: "https://api.example/prod".into(),
        peck_lifetime: beak_core::Duration::hours(24),
        operators_need_factor: false,
        shield: false,
    }
}

fn store(config: &SdkConfig, prefix: &str) -> DynamoStore {
    DynamoStore::new(Client::new(config), prefix.into(), Arc::new(SystemEntropy))
}

async fn open(cloud: &Cloud, config: &SdkConfig, prefix: String) -> Home {
    create_tables(&Client::new(config), &prefix).await;
    let (user_pool, client) = create_user_pool(config, &prefix).await;
    let secret = json!({
        "Name": format!("/{prefix}/turnstile-secret"),
        "Type": "SecureString",
        "Value": beak_api::captcha::PASSES,
    });
    let parameters = aws_wire::Client::new(&aws_wire::SSM, config);
    parameters.tell(aws_wire::Call::json("PutParameter", secret)).await.expect("stored");
    let from = format!("{prefix}@spaceduck.example");
    let identity = aws_sdk_sesv2::Client::new(config).create_email_identity();
    identity.email_identity(&from).send().await.expect("a sender");
    let settings = async || settings(config, &prefix, &user_pool, &client, &from).await;
    Home {
        ports: ports(config, &settings().await),
        resigned: ports(config, &settings().await),
        letters: Arc::new(Sent {
            url: format!("{}/_ministack/ses/messages", cloud.url()),
            from: from.clone(),
            people: aws_sdk_cognitoidentityprovider::Client::new(config),
            user_pool: user_pool.clone(),
        }),
        depth: 2,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_cognito_ses_and_kms_keep_the_contract_of_a_home() {
    let cloud = Cloud::strict();
    let config = configuration(&cloud).await;
    let number = AtomicU32::new(0);
    // On the heap: one for each case is more than a thread's stack holds.
    let open = || {
        Box::pin(async {
            let prefix = format!("home{}", number.fetch_add(1, Ordering::Relaxed));
            (open(&cloud, &config, prefix).await, ())
        })
    };
    beak_core::home_contract!(run open().await);
}

/// As in the local galaxy, with fewer operations: each takes several requests.
#[tokio::test(flavor = "multi_thread")]
async fn random_operations_go_as_the_model_says() {
    let cloud = Cloud::strict();
    let config = configuration(&cloud).await;
    let home = open(&cloud, &config, "modelled".into()).await;
    beak_core::contract::modelled::random_operations(home, 11, 800).await;
}

/// From the stack's parameter, asked for once; from Cognito where there is none, or none that is
/// a secret; and not at all where Parameter Store fails.
#[tokio::test(flavor = "multi_thread")]
async fn the_client_secret_comes_from_its_parameter() {
    struct Stored(beak_core::Result<Option<String>>, AtomicU32);

    #[async_trait]
    impl parameters::Parameters for Stored {
        async fn parameter(&self, name: &str) -> beak_core::Result<Option<String>> {
            assert_eq!(name, "/swan/api-client-secret");
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.clone()
        }
    }

    let cloud = Cloud::start();
    let config = configuration(&cloud).await;
    let (user_pool, client) = create_user_pool(&config, "swan").await;
    let settings = settings(&config, "swan", &user_pool, &client, "a@example.org").await;
    let describe = aws_sdk_cognitoidentityprovider::Client::new(&config)
        .describe_user_pool_client()
        .user_pool_id(&user_pool)
        .client_id(&client);
    let described = describe.send().await.expect("answered").user_pool_client.expect("there");
    let of_cognito = described.client_secret.expect("a secret");
    for (stored, secret) in [
        (Ok(Some("of_the+parameter1".to_owned())), Ok("of_the+parameter1".to_owned())),
        (Ok(Some("ClientSecret attribute not supported".to_owned())), Ok(of_cognito.clone())),
        (Ok(None), Ok(of_cognito)),
        (Err(BeakError::Unavailable("ssm".into())), Err("unavailable")),
    ] {
        let parameters = Arc::new(Stored(stored, AtomicU32::new(0)));
        let own = Arc::clone(&parameters) as Arc<dyn parameters::Parameters>;
        let kept = client_secret::ClientSecret::new(own, &config, &settings);
        for _ in 0..3 {
            let read = kept.get().await.map(|secret| secret.expose().to_vec());
            let read = read.map(|bytes| String::from_utf8(bytes).expect("text"));
            assert_eq!(read.map_err(|error| error.code()), secret);
        }
        let asked = parameters.1.load(Ordering::Relaxed);
        assert_eq!(asked, if secret.is_ok() { 1 } else { 3 });
    }
}

/// What SES tells the bus of a mail that could not be delivered.
fn bounce(set: &str) -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Email Bounced", "source": "aws.ses",
        "account": "111122223333", "time": "2027-01-15T08:00:00Z", "region": "eu-central-1",
        "resources": [],
        "detail": {
            "eventType": "Bounce",
            "bounce": {
                "bounceType": "Permanent", "bounceSubType": "General",
                "bouncedRecipients": [{"emailAddress": "swan@example.com"}]
            },
            "mail": {"messageId": "0107-abc", "tags": {"ses:configuration-set": [set]}}
        }
    })
}

/// What the gateway makes of a request.
fn gateway(path: &str, headers: &Value, body: &Value) -> Value {
    json!({
        "version": "2.0", "routeKey": "ANY /beak/{proxy+}", "rawPath": format!("/prod{path}"),
        "rawQueryString": "", "headers": headers, "isBase64Encoded": false,
        "requestContext": {
            "stage": "prod", "requestId": "r", "timeEpoch": 0,
            "http": {"method": "POST", "path": format!("/prod{path}"), "protocol": "HTTP/1.1",
                     "sourceIp": "192.0.2.1", "userAgent": "x"}
        },
        "body": body.to_string()
    })
}

fn invoked(payload: &Value) -> Request {
    lambda_http::request::from_str(&payload.to_string()).expect("a payload")
}

/// Whatever a caller sends through the gateway is a request: no path, header or body, and nothing
/// that the gateway's own reader trips over, makes it an event.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_bus_tells_of_mails() {
    let cloud = Cloud::start();
    let config = configuration(&cloud).await;
    create_tables(&Client::new(&config), "swan").await;
    let settings = settings(&config, "swan", "pool", "client", "a@example.org").await;
    let ports = ports(&config, &settings);
    let feedback = Arc::clone(&ports.feedback);
    let galaxy = beak_core::Settings {
        issuer: settings.issuer.clone(),
        version: GALAXY_VERSION.into(),
        release: "0.0.0".into(),
        function_version: None,
        peck_lifetime: settings.peck_lifetime,
        answer_step: ANSWER_STEP,
        operators_need_factor: false,
    };
    let beak = Beak::new(ports, &settings, galaxy);
    let swan = Email::parse("swan@example.com").expect("an address");
    let json = json!({"content-type": "application/json", "x-amz-source": "aws.ses"});
    for path in ["/events", "/beak/events", "/", "/beak/", "/beak/system/status", "/beak/hatch"] {
        let request = invoked(&gateway(path, &json, &bounce("swan-tx")));
        assert!(matches!(request.extensions().get(), Some(RequestContext::ApiGatewayV2(_))));
        let answer = beak.clone().take(request).await.expect("an answer");
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
    }
    // A header that the runtime's reader refuses; the runtime then hands over what it got.
    let request = invoked(&gateway("/events", &json!({"x": "a\u{1}b"}), &bounce("swan-tx")));
    assert!(matches!(request.extensions().get(), Some(RequestContext::PassThrough)));
    assert!(beak.clone().take(request).await.is_err());
    let mut both = gateway("/events", &json, &json!({}));
    both.as_object_mut()
        .expect("an object")
        .extend(bounce("swan-tx").as_object().cloned().expect("one"));
    both["requestContext"]["http"] = Value::Null;
    assert!(beak.clone().take(invoked(&both)).await.is_err());
    assert!(beak.clone().take(invoked(&bounce("crane-tx"))).await.is_ok(), "left alone");
    assert_eq!(feedback.reports().await, Ok(Reports::default()));
    assert_eq!(feedback.is_unreachable(&swan).await, Ok(false));

    for _ in 0..2 {
        let answer = beak.clone().take(invoked(&bounce("swan-tx"))).await.expect("written");
        assert!(answer.status().is_success());
    }
    assert_eq!(feedback.reports().await, Ok(Reports { bounces: 1, complaints: 0 }));
    assert_eq!(feedback.is_unreachable(&swan).await, Ok(true));
    // Where `spaceduck mail test` looks for it, and without an address anywhere.
    let key = |text: &str| AttributeValue::S(text.to_owned());
    let asked = Client::new(&config).get_item().table_name("swan-ledger");
    let asked = asked.key("pk", key("feedback#0107-abc")).key("sk", key("bounce"));
    let item = asked.send().await.expect("read").item.expect("there");
    assert!(item["at"].as_n().is_ok_and(|at| at.parse::<u64>().is_ok()), "{item:?}");
    let all = Client::new(&config).scan().table_name("swan-ledger").send().await.expect("read");
    assert!(!format!("{:?}", all.items()).contains("swan@"));
    // What could not be written down is told again by the bus.
    let gone = Beak { feedback: Arc::new(store(&config, "gone")), ..beak };
    assert!(gone.take(invoked(&bounce("swan-tx"))).await.is_err());
}

/// However many operators look at the status, SES is asked once; and once more after a mail of our
/// own. What it refuses is not asked again at once.
#[test]
fn readers_of_the_status_do_not_wear_out_ses() {
    let cloud = Cloud::start();
    // It has a runtime of its own.
    let proxy = Proxy::before(&cloud);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(many_readers(&cloud, &proxy));
}

async fn many_readers(cloud: &Cloud, proxy: &Proxy) {
    let config = configuration(cloud).await.into_builder();
    let config = config.endpoint_url(format!("http://{}", proxy.address())).build();
    create_tables(&Client::new(&config), "swan").await;
    let ours = settings(&config, "swan", "pool", "client", "a@example.org").await;
    let identity = aws_sdk_sesv2::Client::new(&config).create_email_identity();
    identity.email_identity("a@example.org").send().await.expect("a sender");
    let ports = ports(&config, &ours);
    let mailer = Arc::clone(&ports.mailer);
    let issuer = ours.issuer.clone();
    let galaxy = beak_core::Settings {
        issuer,
        version: GALAXY_VERSION.into(),
        release: "0.0.0".into(),
        function_version: None,
        peck_lifetime: ours.peck_lifetime,
        answer_step: ANSWER_STEP,
        operators_need_factor: false,
    };
    let galaxy = Arc::new(Galaxy::new(ports, galaxy));
    let is_question = |call: &test_cloud::Call| call.name == "ses Get account";
    let asked = || proxy.calm().iter().filter(|call| is_question(call)).count();
    let look = async || {
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let galaxy = Arc::clone(&galaxy);
            readers.spawn(async move { galaxy.inside().await.mail.is_some() });
        }
        readers.join_all().await
    };
    asked();
    assert_eq!(look().await, [true; 20]);
    assert!(galaxy.inside().await.mail.is_some());
    assert_eq!(asked(), 1);
    let token = beak_core::newsletter::Token::new([7; 32]);
    let to = Email::parse("swan@example.com").expect("an address");
    let mail = beak_core::mail::Mail::newsletter(to, "https://api.example/prod", &token);
    mailer.send(&mail.expect("written")).await.expect("sent");
    look().await;
    assert_eq!(asked(), 1, "once more after a mail of ours");

    let busy = Arc::new(mailer::Ses::new(&config, &ours));
    proxy.on(Trouble::Refused(Refusal::Throttled), 9, is_question);
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let busy = Arc::clone(&busy);
        readers.spawn(async move { busy.state().await.is_err() });
    }
    assert_eq!(readers.join_all().await, [true; 20]);
    assert_eq!(asked(), 1, "what it refuses is not asked again at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_those_of_this_galaxy() {
    let cloud = Cloud::start();
    let config = configuration(&cloud).await;
    let aws = signed::Signed::new(Arc::default(), &config);
    let put = |name: String| {
        let aws = aws.clone();
        async move {
            let alarm = json!({
                "AlarmName": name, "Namespace": "AWS/Lambda", "MetricName": "Errors",
                "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
                "ComparisonOperator": "GreaterThanThreshold"
            });
            let operation = cloudwatch("PutMetricAlarm");
            aws.ask(&operation, &alarm).await.expect("answered").expect("made");
        }
    };
    for name in
        ["swan-ErrorsAlarm", "swan-Api5xxAlarm", "swan-BounceRateAlarm", "swan-crane-ErrorsAlarm"]
    {
        put(name.to_owned()).await;
    }
    for (name, state) in [("swan-ErrorsAlarm", "ALARM"), ("swan-Api5xxAlarm", "OK")] {
        let set = json!({"AlarmName": name, "StateValue": state, "StateReason": "a test"});
        let operation = cloudwatch("SetAlarmState");
        aws.ask(&operation, &set).await.expect("answered").expect("set");
    }
    let alarms = alarms::CloudWatch::new(aws.clone(), "swan").alarms().await.expect("answered");
    let states: Vec<_> = alarms.iter().map(|alarm| (alarm.name.as_str(), alarm.state)).collect();
    let expected = [
        ("Api5xxAlarm", AlarmState::Ok),
        ("ErrorsAlarm", AlarmState::Alarm),
        ("ThrottlesAlarm", AlarmState::Missing),
        ("DeadLettersAlarm", AlarmState::Missing),
        ("BounceRateAlarm", AlarmState::Unknown),
        ("ComplaintRateAlarm", AlarmState::Missing),
    ];
    assert_eq!(states, expected);
    let recent = SystemClock.now() - beak_core::Duration::minutes(5);
    for alarm in alarms {
        assert_eq!(alarm.since.is_some_and(|at| at > recent), alarm.state != AlarmState::Missing);
    }
    let refused = aws.ask(&cloudwatch("NoSuchThing"), &json!({})).await.expect("answered");
    assert_eq!(refused, Err("InvalidAction".into()));
}

fn cloudwatch(operation: &'static str) -> signed::Operation {
    let target = format!("GraniteServiceVersion20100801.{operation}").leak();
    signed::Operation { target, ..alarms::DESCRIBE_ALARMS }
}

/// The templates give the alarms the names that the function asks for, in both stacks.
#[test]
fn alarms_have_the_names_that_are_asked_for() {
    let (api, mail) = ("../../../templates/api.yaml", "../../../templates/mail.yaml");
    let both =
        [include_str!("../../../templates/api.yaml"), include_str!("../../../templates/mail.yaml")]
            .concat();
    let made = both.matches("Type: AWS::CloudWatch::Alarm").count();
    assert_eq!(made, alarms::NAMES.len(), "{api}, {mail}");
    for name in alarms::NAMES {
        assert!(both.contains(&format!("  {name}:\n    Type: AWS::CloudWatch::Alarm")), "{name}");
        assert!(both.contains(&format!("AlarmName: !Sub '${{Prefix}}-{name}'")), "{name}");
    }
}

/// What is signed here is what botocore would have signed, and the questions are those of the
/// services' own models.
#[tokio::test(flavor = "multi_thread")]
async fn questions_are_signed_and_put_as_aws_wants_them() {
    let (url, heard) = ear();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&url)
        .region(aws_config::Region::new("eu-central-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            Credentials::new("test", "test", Some("a session".into()), None, "test"),
        ))
        .build();
    let web = Arc::new(web::Web::default());
    let aws = signed::Signed::new(Arc::clone(&web), &config);
    let turnstile = captcha::Turnstile::new(web, aws.clone(), "swan");
    assert!(alarms::CloudWatch::new(aws, "swan").alarms().await.is_ok());
    assert!(turnstile.check("token", "hatch", None).await.is_err(), "there is no secret");
    let mut asked = Vec::new();
    for service in ["monitoring", "ssm"] {
        let mut heard = heard.recv().expect("a request");
        heard["service"] = service.into();
        assert_eq!(heard["headers"]["x-amz-security-token"], "a session");
        let wanted = python("tests/signature.py", &heard);
        assert_eq!(heard["headers"]["authorization"], wanted.trim());
        heard["uri"] = "/".into();
        asked.push(heard);
    }
    let judged: Vec<Value> =
        serde_json::from_str(&python("tests/judge.py", &asked.into())).expect("JSON");
    let operations: Vec<_> = judged.iter().map(|one| one["operation"].as_str()).collect();
    assert_eq!(operations, [Some("DescribeAlarms"), Some("GetParameter")]);
    assert!(judged.iter().all(|one| one["wrong"] == json!([])), "{judged:?}");
}

/// Hears requests, answers each with an empty object, and tells what it heard.
fn ear() -> (String, std::sync::mpsc::Receiver<Value>) {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let (tell, heard) = std::sync::mpsc::channel();
    let base = url.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut line, mut headers) = (String::new(), serde_json::Map::new());
            stream.read_line(&mut line).expect("a line");
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).expect("a header");
                let Some((name, value)) = line.trim_end().split_once(": ") else { break };
                headers.insert(name.to_lowercase(), value.into());
            }
            let length = headers["content-length"].as_str().and_then(|n| n.parse().ok());
            let mut body = vec![0; length.expect("a length")];
            stream.read_exact(&mut body).expect("a body");
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            stream.get_mut().write_all(answer.as_bytes()).expect("answered");
            let body = String::from_utf8(body).expect("text");
            let told = json!({"method": "POST", "url": base, "headers": headers, "body": body});
            if tell.send(told).is_err() {
                return;
            }
        }
    });
    (url, heard)
}

/// What one of the project's Python programs says of some JSON.
fn python(program: &str, input: &Value) -> String {
    python_with(program, &[], input)
}

fn python_with(program: &str, arguments: &[&str], input: &Value) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a root");
    let python = root.join(".venv/bin/python");
    assert!(python.exists(), "there is no Python: run `cargo xtask setup` first");
    let mut child = Command::new(python)
        .current_dir(root)
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.to_string().as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("ended");
    assert!(output.status.success(), "{program}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_stage_is_no_part_of_the_path() {
    let cut = |uri: &str| without_stage(&uri.parse().expect("a URI"), "prod");
    let same = |uri: &str| Some(uri.parse::<Uri>().expect("a URI"));
    assert_eq!(cut("https://x.example/prod/beak/pecks?limit=1"), same("/beak/pecks?limit=1"));
    assert_eq!(cut("/prod/beak/me"), same("/beak/me"));
    for other in ["/beak/prod/x", "/production/x", "/prod"] {
        assert_eq!(cut(other), None, "{other}");
    }
}
