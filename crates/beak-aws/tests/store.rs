//! The store's contract, on DynamoDB as the emulated AWS has it.

#![expect(clippy::expect_used, reason = "these are tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use beak_api::system::SystemEntropy;
use beak_aws::dynamo::DynamoStore;
use beak_core::ports::Store;
use test_cloud::Cloud;

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

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_the_contract() {
    let cloud = Cloud::start();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(cloud.url())
        .region("eu-central-1")
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await;
    let client = Client::new(&config);
    let number = AtomicU32::new(0);
    let open = || async {
        let prefix = format!("case{}", number.fetch_add(1, Ordering::Relaxed));
        create_tables(&client, &prefix).await;
        let store = DynamoStore::new(client.clone(), prefix, Arc::new(SystemEntropy));
        (Arc::new(store) as Arc<dyn Store>, ())
    };
    beak_core::store_contract!(run open().await);
    let prefix = "limits".to_owned();
    create_tables(&client, &prefix).await;
    let limits = DynamoStore::new(client.clone(), prefix, Arc::new(SystemEntropy));
    beak_core::contract::calls_are_counted_exactly(Arc::new(limits)).await;
}
