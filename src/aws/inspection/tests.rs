//! Every question about what was added, and every call that takes it off, as the models want them.

use serde_json::json;

use super::*;
use crate::aws::replay::{script, xml};

fn no_such() -> (u16, String) {
    (404, json!({"__type": "ResourceNotFoundException", "Message": "none"}).to_string())
}

fn said(value: &Value) -> (u16, String) {
    (200, value.to_string())
}

#[tokio::test]
async fn what_a_function_was_given_is_found() {
    let policy = json!({"Statement": [{"Sid": "anyone", "Principal": {"AWS": "*"}}]});
    let url = |at: &str| {
        json!({"FunctionUrl": "https://x.on.aws/", "FunctionArn": at, "CreationTime": "x",
               "LastModifiedTime": "x", "AuthType": "NONE", "Cors": null})
    };
    let arn = "arn:aws:lambda:eu-central-1:111122223333:function:beak";
    let (config, script) = script(&[
        said(&json!({"Name": "live", "RoutingConfig":
                     {"AdditionalVersionWeights": {"3": 0.1, "2": 0.25}}})),
        said(&json!({"Policy": policy.to_string(), "RevisionId": null})),
        no_such(),
        said(&json!({"FunctionUrlConfigs": [url(arn)], "NextMarker": "more"})),
        said(&json!({"FunctionUrlConfigs": [url(&format!("{arn}:live"))]})),
        said(&json!({"ReservedConcurrentExecutions": 5})),
    ]);
    let found = Inspector::new(&config, &config).function("beak").await.unwrap();
    let function = || "beak".to_owned();
    let auth = || "NONE".to_owned();
    assert_eq!(
        found,
        [
            Extra::Weights {
                function: function(),
                to: "version 2 gets 25 %, version 3 gets 10 %".into()
            },
            Extra::Permission {
                function: function(),
                qualifier: None,
                id: "anyone".into(),
                who: "*".into()
            },
            Extra::Url { function: function(), qualifier: None, auth: auth() },
            Extra::Url { function: function(), qualifier: Some("live".into()), auth: auth() },
            Extra::Concurrency { function: function(), limit: 5 },
        ]
    );
    let asked = script.judged();
    assert_eq!(asked[2].params["Qualifier"], "live");
    assert_eq!(asked[4].params["Marker"], "more");
    assert_eq!(asked[5].operation, "GetFunctionConcurrency");
}

#[tokio::test]
async fn a_role_tells_what_is_attached_and_written_into_it() {
    let attached = |name: &str| {
        format!(
            "<AttachedPolicies><member><PolicyName>{name}</PolicyName><PolicyArn>\
             arn:aws:iam::aws:policy/{name}</PolicyArn></member></AttachedPolicies>"
        )
    };
    let more = "<IsTruncated>true</IsTruncated><Marker>next+page</Marker>";
    let (config, script) = script(&[
        xml("ListAttachedRolePolicies", &format!("{}{more}", attached("A"))),
        xml("ListAttachedRolePolicies", &attached("B")),
        xml("ListRolePolicies", "<PolicyNames><member>own</member></PolicyNames>"),
    ]);
    let found = Inspector::new(&config, &config).role("beak-role").await.unwrap();
    let arn = |name: &str| format!("arn:aws:iam::aws:policy/{name}");
    let role = || "beak-role".to_owned();
    assert_eq!(
        found,
        [
            Extra::Attached { role: role(), arn: arn("A") },
            Extra::Attached { role: role(), arn: arn("B") },
            Extra::Inlined { role: role(), name: "own".into() },
        ]
    );
    assert_eq!(script.judged()[1].params["Marker"], "next+page");
}

#[tokio::test]
async fn each_is_taken_off_by_its_own_call() {
    let (function, role) = (|| "beak".to_owned(), || "beak-role".to_owned());
    let done = || (204, String::new());
    for (extra, answer, operation, params) in [
        (
            Extra::Attached { role: role(), arn: "arn:aws:iam::aws:policy/A".into() },
            xml("DetachRolePolicy", ""),
            "DetachRolePolicy",
            json!({"RoleName": "beak-role", "PolicyArn": "arn:aws:iam::aws:policy/A"}),
        ),
        (
            Extra::Inlined { role: role(), name: "o+w n".into() },
            xml("DeleteRolePolicy", ""),
            "DeleteRolePolicy",
            json!({"RoleName": "beak-role", "PolicyName": "o+w n"}),
        ),
        (
            Extra::Weights { function: function(), to: "x".into() },
            said(&json!({})),
            "UpdateAlias",
            json!({"FunctionName": "beak", "Name": "live",
                   "RoutingConfig": {"AdditionalVersionWeights": {}}}),
        ),
        (
            Extra::Permission {
                function: function(),
                qualifier: Some("live".into()),
                id: "anyone".into(),
                who: "*".into(),
            },
            done(),
            "RemovePermission",
            json!({"FunctionName": "beak", "StatementId": "anyone", "Qualifier": "live"}),
        ),
        (
            Extra::Url { function: function(), qualifier: None, auth: "NONE".into() },
            done(),
            "DeleteFunctionUrlConfig",
            json!({"FunctionName": "beak"}),
        ),
        (
            Extra::Concurrency { function: function(), limit: 5 },
            done(),
            "DeleteFunctionConcurrency",
            json!({"FunctionName": "beak"}),
        ),
    ] {
        let (config, script) = script(&[answer]);
        Inspector::new(&config, &config).remove(&extra).await.unwrap();
        let asked = script.judged();
        assert_eq!((asked[0].operation.as_str(), &asked[0].params), (operation, &params));
        // What is gone already is fine.
        let (config, _) = self::script(&[no_such()]);
        if !matches!(extra, Extra::Attached { .. } | Extra::Inlined { .. }) {
            Inspector::new(&config, &config).remove(&extra).await.unwrap();
        }
    }
}
