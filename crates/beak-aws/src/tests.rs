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
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_ssm::types::ParameterType;
use beak_core::contract::home::{Home, Letters};
use beak_core::person::{Email, OtpCode};
use beak_core::ports::Limits;
use test_cloud::Cloud;

use super::*;

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
    let limits = new().await as Arc<dyn Limits>;
    beak_core::contract::calls_are_counted_exactly(limits).await;
    let codes = new().await as Arc<dyn Codes>;
    beak_core::contract::codes_are_tried_exactly(codes).await;
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
    let client = aws_sdk_kms::Client::new(config);
    let key = client
        .create_key()
        .key_spec(KeySpec::EccNistEdwards25519)
        .key_usage(KeyUsageType::SignVerify);
    let key = key.send().await.expect("a key");
    key.key_metadata().expect("its metadata").key_id().to_owned()
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

async fn open(cloud: &Cloud, config: &SdkConfig, prefix: String) -> Home {
    create_tables(&Client::new(config), &prefix).await;
    let (user_pool, client) = create_user_pool(config, &prefix).await;
    let parameters = aws_sdk_ssm::Client::new(config).put_parameter();
    let secret = parameters
        .name(format!("/{prefix}/turnstile-secret"))
        .r#type(ParameterType::SecureString)
        .value(beak_api::captcha::PASSES);
    secret.send().await.expect("stored");
    let from = format!("{prefix}@spaceduck.example");
    let identity = aws_sdk_sesv2::Client::new(config).create_email_identity();
    identity.email_identity(&from).send().await.expect("a sender");
    let settings = async || Settings {
        prefix: prefix.clone(),
        user_pool: user_pool.clone(),
        client: client.clone(),
        certificate_key: create_key(config).await,
        from: Some(from.clone()),
        config_set: None,
        release: "0.0.0".into(),
        issuer: "https://api.example/prod".into(),
        peck_lifetime: beak_core::Duration::hours(24),
    };
    Home {
        ports: ports(config, &settings().await),
        resigned: ports(config, &settings().await),
        letters: Arc::new(Sent {
            url: format!("{}/_ministack/ses/messages", cloud.url()),
            from: from.clone(),
            people: aws_sdk_cognitoidentityprovider::Client::new(config),
            user_pool: user_pool.clone(),
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_cognito_ses_and_kms_keep_the_contract_of_a_home() {
    let cloud = Cloud::strict();
    let config = configuration(&cloud).await;
    let number = AtomicU32::new(0);
    let open = || async {
        let prefix = format!("home{}", number.fetch_add(1, Ordering::Relaxed));
        (open(&cloud, &config, prefix).await, ())
    };
    beak_core::home_contract!(run open().await);
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
