//! What the other services are asked: pages, statuses without text, answers that were lost.

use aws_config::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use serde_json::json;

use super::assets::Buckets;
use super::people::UserPools;
use super::replay::{Script, addresses, complaints, script};
use super::secrets::ParameterStore;
use crate::failure::Kind;
use crate::model::{Place, Secret};
use crate::ports::{Assets as _, Joined, Notes, Offer, People as _, Zones as _};

/// S3 takes the bucket into the host's name, where the model has it in the path.
fn by_path(answers: &[(u16, String)]) -> (SdkConfig, Script) {
    let (config, script) = script(answers);
    (config.into_builder().endpoint_url("http://127.0.0.1:1").build(), script)
}

fn json_refusal(code: &str) -> (u16, String) {
    (400, json!({"__type": code, "message": ""}).to_string())
}

#[test]
fn the_judge_can_say_no() {
    let asked = |body: &str| {
        let scope = "Credential=test/20261124/eu-central-1/cloudformation/aws4_request, x";
        let headers = json!({"authorization": scope});
        let body = format!("Version=2010-05-15&{body}");
        complaints(&json!({"method": "POST", "uri": "/", "headers": headers, "body": body}))
    };
    let good = "Action=CreateStack&StackName=a&DeploymentConfig.Mode=EXPRESS";
    assert_eq!(asked(good), Vec::<String>::new());
    for (bad, complaint) in [
        ("Action=CreateStak&StackName=a", "no such operation"),
        ("Action=CreateStack", "Missing required parameter"),
        ("Action=CreateStack&StackName=a&Express=true", "Unknown parameter"),
        ("Action=CreateStack&StackName=a&DeploymentConfig.Mode=FAST", "is none of"),
        ("Action=CreateStack&StackName=a&DisableRollback=maybe", "Invalid type"),
    ] {
        assert!(asked(bad).iter().any(|said| said.contains(complaint)), "{bad}: {:?}", asked(bad));
    }
}

#[test]
fn every_service_is_asked_where_the_models_say() {
    use aws_wire::Protocol;
    let mut seen = 0;
    for service in aws_wire::ALL {
        let known = addresses(service.name);
        assert_eq!(known["id"], service.id);
        match service.protocol {
            Protocol::Json(target) => assert_eq!(known["target"], target),
            Protocol::Query(version) => assert_eq!(known["version"], version),
            Protocol::RestJson | Protocol::RestXml => {}
        }
        for asked in known["addresses"].as_array().unwrap() {
            seen += 1;
            let (region, is) = (asked[0].as_str().unwrap(), |at: usize| asked[at] == true);
            assert_eq!(asked[3], aws_wire::url(service, region, is(1), is(2)), "{asked}");
            assert_eq!(asked[4], if service.global { "us-east-1" } else { region });
        }
    }
    assert_eq!(seen, 12 * aws_wire::ALL.len());
}

/// The clients that are not generated obey the same settings.
#[tokio::test]
async fn settings_of_a_service_count_before_those_of_all() {
    let (config, _) = script(&[]);
    let asked_at = async |config: SdkConfig, service| {
        let (answers, script) = script(&[(200, "{}".into())]);
        let config = config.into_builder().http_client(answers.http_client().unwrap()).build();
        let call = aws_wire::Call::json("GetParameter", json!({"Name": "/a"}));
        let told = aws_wire::Client::new(service, &config).ask::<serde_json::Value>(call).await;
        told.map(|_| script.address()).map_err(|error| super::error::chain(&error))
    };
    let mut all = config.clone().into_builder();
    all.set_endpoint_url(Some("http://127.0.0.1:1".into()));
    let all = all.build();
    assert_eq!(asked_at(all.clone(), &aws_wire::SSM).await.unwrap(), "http://127.0.0.1:1/");
    let own = config.clone().into_builder().service_config(Own).build();
    assert_eq!(asked_at(own.clone(), &aws_wire::SSM).await.unwrap(), "http://127.0.0.1:2/");
    let elsewhere = asked_at(own, &aws_wire::ACM).await.unwrap();
    assert_eq!(elsewhere, "https://acm.eu-central-1.amazonaws.com/");
    let fips = config.into_builder().use_fips(true).use_dual_stack(true).build();
    let by_fips = asked_at(fips, &aws_wire::SSM).await.unwrap();
    assert_eq!(by_fips, "https://ssm-fips.eu-central-1.api.aws/");
    let both = all.into_builder().use_fips(true).build();
    let refused = asked_at(both, &aws_wire::SSM).await.unwrap_err();
    assert!(refused.contains("FIPS and a custom endpoint"), "{refused}");
}

/// Settings that name an address for Parameter Store only.
#[derive(Debug)]
struct Own;

impl LoadServiceConfig for Own {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let of_it = (key.service_id(), key.env(), key.profile());
        (of_it == ("SSM", "AWS_ENDPOINT_URL", "endpoint_url")).then(|| "http://127.0.0.1:2".into())
    }
}

#[tokio::test]
async fn what_is_no_answer_of_aws_is_never_taken_for_one() {
    let page = || (200, "<html><title>Sign in</title></html>".to_owned());
    let plain = || (200, "welcome".to_owned());
    for answer in [page(), plain()] {
        // Answers that can't be understood are asked for again, as many times as there are tries.
        let (config, _) = script(&vec![answer.clone(); 3]);
        let notes = ParameterStore::new(&config);
        let failure = notes.put("/duck/lock", "mine").await.unwrap_err();
        let told = failure.to_text();
        assert!(told.contains("AWS does not answer here") || told.contains("understood"), "{told}");
        let (config, _) = script(&vec![answer; 3]);
        let zones = super::route53::Route53::new(&config);
        assert!(zones.change("Z1", &[], &[]).await.is_err());
    }
}

#[tokio::test]
async fn every_page_of_versions_is_emptied_before_a_bucket_goes() {
    let page = |key: &str, more: &str| {
        let one = format!("<Key>{key}</Key><VersionId>v-{key}</VersionId>");
        let text =
            format!("<ListVersionsResult>{more}<Version>{one}</Version></ListVersionsResult>");
        (200, text)
    };
    let more = "<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>\
                <NextVersionIdMarker>v-a</NextVersionIdMarker>";
    let (config, script) = by_path(&[
        page("a", more),
        page("b", "<IsTruncated>false</IsTruncated>"),
        (200, "<DeleteResult/>".to_owned()),
        (204, String::new()),
    ]);
    let buckets = Buckets::new(&config, &config);
    buckets.remove_bucket(Place::Home, "duck-artifacts").await.unwrap();
    let asked = script.judged();
    assert_eq!(asked[1].params["KeyMarker"], "a");
    assert_eq!(asked[1].params["VersionIdMarker"], "v-a");
    assert_eq!(
        asked[2].params["Delete"]["Objects"],
        json!([{"Key": "a", "VersionId": "v-a"}, {"Key": "b", "VersionId": "v-b"}])
    );
    assert_eq!(asked[3].operation, "DeleteBucket");
}

#[tokio::test]
async fn a_bucket_that_fills_again_is_emptied_again_and_not_for_ever() {
    let versions = |key: &str| {
        let one = format!("<Key>{key}</Key><VersionId>v-{key}</VersionId>");
        (200, format!("<ListVersionsResult><Version>{one}</Version></ListVersionsResult>"))
    };
    let deleted = || (200, "<DeleteResult/>".to_owned());
    let full = || (409, "<Error><Code>BucketNotEmpty</Code><Message/></Error>".to_owned());
    let late = [versions("a"), deleted(), full(), versions("b"), deleted(), (204, String::new())];
    let (config, script) = by_path(&late);
    Buckets::new(&config, &config).remove_bucket(Place::Home, "duck-artifacts").await.unwrap();
    let asked = script.judged();
    assert_eq!(asked[4].params["Delete"]["Objects"], json!([{"Key": "b", "VersionId": "v-b"}]));
    // The other place that is emptied again: the bucket is gone by then.
    let none = || (404, "<Error><Code>NoSuchBucket</Code><Message/></Error>".to_owned());
    let (config, script) = by_path(&[versions("a"), deleted(), full(), none()]);
    Buckets::new(&config, &config).remove_bucket(Place::Home, "duck-artifacts").await.unwrap();
    assert_eq!(script.operations().len(), 4);
    let endless: Vec<_> = (0..5).flat_map(|_| [versions("a"), deleted(), full()]).collect();
    let (config, script) = by_path(&endless);
    let buckets = Buckets::new(&config, &config);
    let failure = buckets.remove_bucket(Place::Home, "duck-artifacts").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Settled);
    assert!(failure.to_text().contains("`duck-artifacts` keeps filling"), "{}", failure.to_text());
    assert_eq!(script.operations().len(), 15, "and no more is asked");
}

#[tokio::test]
async fn a_refusal_without_text_is_told_by_its_status() {
    for (status, kind) in [(403, Kind::Access), (400, Kind::Access), (409, Kind::Settled)] {
        let (config, script) = by_path(&[(status, String::new())]);
        let buckets = Buckets::new(&config, &config);
        let failure = buckets.has_bucket(Place::Home, "duck-artifacts").await.unwrap_err();
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.cause.unwrap().contains(&status.to_string()));
        assert_eq!(script.operations(), ["HeadBucket"]);
    }
    let (config, _) = by_path(&[(404, String::new())]);
    let buckets = Buckets::new(&config, &config);
    assert!(!buckets.has_bucket(Place::Home, "duck-artifacts").await.unwrap());
}

#[tokio::test]
async fn a_bucket_that_is_gone_already_is_gone() {
    // S3 has no frame around its errors.
    let none = "<Error><Code>NoSuchBucket</Code><Message/></Error>".to_owned();
    let (config, script) = by_path(&[(404, none)]);
    let buckets = Buckets::new(&config, &config);
    buckets.remove_bucket(Place::Edge, "duck-artifacts").await.unwrap();
    assert_eq!(script.operations(), ["ListObjectVersions"]);
}

#[tokio::test]
async fn a_note_is_ones_own_even_if_the_answer_to_it_was_lost() {
    let says = |text: &str| (200, json!({"Parameter": {"Value": text}}).to_string());
    for (there, ours) in [("mine", true), ("another's", false)] {
        let lost = (500, json!({"__type": "InternalServerError"}).to_string());
        let known = json_refusal("ParameterAlreadyExists");
        let (config, script) = script(&[lost, known, says(there)]);
        let notes = ParameterStore::new(&config);
        assert_eq!(notes.put_new("/duck/lock", "mine").await.unwrap(), ours, "{there}");
        let asked = script.judged();
        assert_eq!(asked[0].params["Overwrite"], false);
        assert_eq!(asked[2].operation, "GetParameter");
    }
}

#[tokio::test]
async fn an_account_whose_answer_was_lost_gets_its_password() {
    let lost = (500, json!({"__type": "InternalErrorException"}).to_string());
    let made = json!({"Username": "a@example.com", "UserStatus": "FORCE_CHANGE_PASSWORD",
                      "UserAttributes": [{"Name": "sub", "Value": "1-2-3"}]});
    let done = || (200, "{}".to_owned());
    let (config, script) = script(&[
        json_refusal("UserNotFoundException"),
        lost,
        json_refusal("UsernameExistsException"),
        (200, made.to_string()),
        done(),
        done(),
        (200, made.to_string()),
        done(),
        done(),
        done(),
    ]);
    let people = UserPools::new(&config);
    let password = Secret::new("a long enough password".into());
    let told = std::sync::Mutex::new(0);
    let show = |_: &Secret| {
        *told.lock().unwrap() += 1;
        Ok(())
    };
    let offer = Offer::new(&password, &show);
    let joined = people.add("eu-central-1_1", "duck-ledger", "a@example.com", offer).await.unwrap();
    assert_eq!(*told.lock().unwrap(), 1, "it is shown once, before it counts");
    assert_eq!(joined, Joined::New);
    let asked = script.operations();
    let rest = [
        "AdminSetUserPassword",
        "UpdateItem",
        "AdminGetUser",
        "BatchWriteItem",
        "AdminAddUserToGroup",
        "UpdateItem",
    ];
    assert_eq!(asked[4..], rest);
}
