//! What no emulator does: express mode, adoption, drift-aware change sets, roll-backs that are
//! continued, states on the way, throttled looks, pages, and answers that were lost.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use std::sync::Arc;

use super::CloudFormation;
use crate::aws::replay::{Script, TOKEN, refusal, script, values, xml};
use crate::model::{Place, Stack, StackSeen, StackStatus};
use crate::ports::{
    ChangeAction, ChangeSet, DriftState, Mode, Origin, Proposal, Retained, Stacks as _,
};

const ARN: &str = "arn:aws:cloudformation:eu-central-1:111122223333:stack/duck-data/1";
const SET: &str = "arn:aws:cloudformation:eu-central-1:111122223333:changeSet/spaceduck-1/2";

fn played(answers: &[(u16, String)]) -> (CloudFormation, Script) {
    let (config, script) = script(answers);
    (CloudFormation::new(&config, &config, Arc::default()), script)
}

fn proposal(mode: Mode) -> Proposal {
    Proposal {
        place: Place::Home,
        name: "duck-data".into(),
        body: "Resources: {}".into(),
        parameters: BTreeMap::from([("Memory".into(), "256".into())]),
        secrets: BTreeMap::new(),
        tags: BTreeMap::from([("spaceduck:install".into(), "duck".into())]),
        role: Some("arn:aws:iam::111122223333:role/duck-cfn".into()),
        mode,
        express: true,
        token: None,
    }
}

fn created() -> (u16, String) {
    xml("CreateStack", &format!("<StackId>{ARN}</StackId>"))
}

fn change_set() -> (u16, String) {
    xml("CreateChangeSet", &format!("<Id>{SET}</Id><StackId>{ARN}</StackId>"))
}

fn described(status: &str, changes: &str) -> (u16, String) {
    let inner = format!(
        "<ChangeSetId>{SET}</ChangeSetId><StackId>{ARN}</StackId><StackName>duck-data</StackName>\
         <Status>{status}</Status><Changes>{changes}</Changes>"
    );
    xml("DescribeChangeSet", &inner)
}

fn stacks(status: &str) -> (u16, String) {
    let inner = format!(
        "<Stacks><member><StackName>duck-data</StackName><StackId>{ARN}</StackId>\
         <CreationTime>2026-11-24T00:00:00Z</CreationTime>\
         <StackStatus>{status}</StackStatus></member></Stacks>"
    );
    xml("DescribeStacks", &inner)
}

fn event(id: &str, kind: &str, status: &str, more: &str) -> String {
    format!(
        "<member><StackId>{ARN}</StackId><EventId>{id}</EventId><StackName>duck-data</StackName>\
         <LogicalResourceId>{id}</LogicalResourceId><ResourceType>{kind}</ResourceType>\
         <Timestamp>2026-11-24T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus>{more}\
         </member>"
    )
}

fn events(all: &str, next: Option<&str>) -> (u16, String) {
    let next = next.map(|next| format!("<NextToken>{next}</NextToken>")).unwrap_or_default();
    xml("DescribeStackEvents", &format!("<StackEvents>{all}</StackEvents>{next}"))
}

/// What an operation that was begun by us leaves in the events.
fn ours() -> (u16, String) {
    let token = format!("<ClientRequestToken>{TOKEN}</ClientRequestToken>");
    events(&event("a", "T", "UPDATE_IN_PROGRESS", &token), None)
}

#[tokio::test]
async fn a_creation_is_express_protected_and_rolls_back() {
    let (cloud, script) = played(&[created()]);
    assert_eq!(cloud.create(&proposal(Mode::Plain)).await.unwrap(), ARN);
    let asked = &script.judged()[0];
    assert_eq!(asked.operation, "CreateStack");
    let params = &asked.params;
    assert_eq!(
        params["DeploymentConfig"],
        json!({"Mode": "EXPRESS", "DisableRollback": false}),
        "{params}"
    );
    assert_eq!(params["EnableTerminationProtection"], true);
    assert_eq!(params["Capabilities"], json!(["CAPABILITY_NAMED_IAM"]));
    assert_eq!(params["Parameters"], json!([{"ParameterKey": "Memory", "ParameterValue": "256"}]));
    assert_eq!(params["Tags"], json!([{"Key": "spaceduck:install", "Value": "duck"}]));
}

#[tokio::test]
async fn a_role_that_is_still_unknown_is_waited_for() {
    let early = refusal(400, "ValidationError", "Role arn:aws:iam::1:role/r is invalid");
    let (cloud, script) = played(&[early, created()]);
    cloud.create(&proposal(Mode::Plain)).await.unwrap();
    let tokens: Vec<Value> = script
        .judged()
        .into_iter()
        .map(|asked| asked.params["ClientRequestToken"].clone())
        .collect();
    assert_eq!(tokens[0], tokens[1], "AWS can tell a repetition by it");
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found_again() {
    let known = refusal(400, "AlreadyExistsException", "Stack [duck-data] already exists");
    let lost = refusal(500, "InternalFailure", "");
    let (cloud, script) = played(&[lost, known, stacks("CREATE_IN_PROGRESS")]);
    assert_eq!(cloud.create(&proposal(Mode::Plain)).await.unwrap(), ARN);
    assert_eq!(script.operations(), ["CreateStack", "CreateStack", "DescribeStacks"]);
}

#[tokio::test]
async fn what_was_left_behind_is_adopted() {
    let (cloud, script) = played(&[
        change_set(),
        described("CREATE_IN_PROGRESS", ""),
        described("CREATE_COMPLETE", ""),
        xml("ExecuteChangeSet", ""),
        xml("UpdateTerminationProtection", &format!("<StackId>{ARN}</StackId>")),
    ]);
    assert_eq!(cloud.create(&proposal(Mode::Adopt)).await.unwrap(), ARN);
    let asked = script.judged();
    assert_eq!(asked[0].params["ChangeSetType"], "CREATE");
    assert_eq!(asked[0].params["ImportExistingResources"], true);
    assert_eq!(asked[3].params["DisableRollback"], false);
    assert_eq!(asked[4].params["EnableTerminationProtection"], true);
}

#[tokio::test]
async fn what_outlived_its_stack_is_imported_by_its_id() {
    let (cloud, script) = played(&[
        change_set(),
        described("CREATE_COMPLETE", ""),
        xml("ExecuteChangeSet", ""),
        xml("UpdateTerminationProtection", &format!("<StackId>{ARN}</StackId>")),
    ]);
    let pool = Retained {
        stack: Stack::Auth,
        resource: "UserPool".into(),
        kind: "AWS::Cognito::UserPool".into(),
        property: "UserPoolId".into(),
        id: "eu-central-1_abc".into(),
        what: "the user pool".into(),
    };
    let mut proposal = proposal(Mode::Plain);
    proposal.token = Some("spaceduck-run-auth".into());
    assert_eq!(cloud.import(&proposal, &[pool]).await.unwrap(), ARN);
    let asked = script.judged();
    assert_eq!(asked[0].params["ChangeSetType"], "IMPORT");
    assert_eq!(asked[0].params.get("ImportExistingResources"), None);
    assert_eq!(
        asked[0].params["ResourcesToImport"],
        json!([{
            "ResourceType": "AWS::Cognito::UserPool",
            "LogicalResourceId": "UserPool",
            "ResourceIdentifier": {"UserPoolId": "eu-central-1_abc"},
        }])
    );
    assert_eq!(asked[2].params["ClientRequestToken"], "spaceduck-run-auth");
    assert_eq!(asked[3].params["EnableTerminationProtection"], true);
}

#[tokio::test]
async fn what_drifted_is_put_back_by_a_drift_aware_change_set() {
    let change = "<member><Type>Resource</Type><ResourceChange>\
                  <Action>SyncWithActual</Action><LogicalResourceId>Table</LogicalResourceId>\
                  <ResourceType>AWS::DynamoDB::Table</ResourceType>\
                  <ResourceDriftStatus>MODIFIED</ResourceDriftStatus>\
                  </ResourceChange></member>";
    let (cloud, script) = played(&[change_set(), described("CREATE_COMPLETE", change)]);
    let proposed = cloud.propose(&proposal(Mode::RevertDrift)).await.unwrap().unwrap();
    assert_eq!(proposed.arn, SET);
    assert_eq!(proposed.changes[0].resource, "Table");
    assert_eq!(proposed.changes[0].action, ChangeAction::Other("SyncWithActual".into()));
    let asked = script.judged();
    assert_eq!(asked[0].params["DeploymentMode"], "REVERT_DRIFT");
    assert_eq!(asked[0].params["ChangeSetType"], "UPDATE");
}

#[tokio::test]
async fn a_plain_update_says_nothing_of_drift_and_an_empty_one_is_thrown_away() {
    let (status, text) = described("FAILED", "");
    let reason = "<StatusReason>The submitted information didn't contain changes.</StatusReason>";
    let text = text.replace("<Changes>", &format!("{reason}<Changes>"));
    let (cloud, script) = played(&[change_set(), (status, text), xml("DeleteChangeSet", "")]);
    assert_eq!(cloud.propose(&proposal(Mode::Plain)).await.unwrap(), None);
    let asked = script.judged();
    assert_eq!(asked[0].params.get("DeploymentMode"), None);
    assert_eq!(asked[2].operation, "DeleteChangeSet");
    assert_eq!(asked[2].params["ChangeSetName"], SET);
}

#[tokio::test]
async fn a_change_set_whose_answer_was_lost_is_found_by_its_name() {
    let lost = refusal(500, "InternalFailure", "");
    let known = refusal(400, "AlreadyExistsException", "ChangeSet spaceduck-1 already exists");
    let done = || described("CREATE_COMPLETE", "");
    let (cloud, script) = played(&[lost, known, done(), done()]);
    let proposed = cloud.propose(&proposal(Mode::Plain)).await.unwrap().unwrap();
    assert_eq!(proposed.arn, SET);
    let asked = script.judged();
    assert_eq!(asked[0].params["ChangeSetName"], asked[2].params["ChangeSetName"]);
}

#[tokio::test]
async fn a_change_set_that_runs_already_is_not_a_failure() {
    let set = ChangeSet {
        place: Place::Home,
        stack: "duck-data".into(),
        arn: SET.into(),
        changes: Vec::new(),
    };
    let busy = || refusal(400, "InvalidChangeSetStatus", "it is in EXECUTE_IN_PROGRESS");
    let (cloud, script) = played(&[busy(), ours()]);
    cloud.apply(&set).await.unwrap();
    assert_eq!(script.judged()[0].params["DisableRollback"], false);
    // Somebody else's is one.
    let theirs = events(&event("a", "T", "UPDATE_IN_PROGRESS", ""), None);
    let (cloud, _) = played(&[busy(), theirs]);
    assert!(cloud.apply(&set).await.is_err());
}

fn stuck(code: &str) -> StackSeen {
    StackSeen {
        arn: ARN.into(),
        code: code.into(),
        status: StackStatus::parse(code),
        reason: None,
        changed: None,
        parameters: BTreeMap::new(),
        outputs: BTreeMap::new(),
        tags: BTreeMap::new(),
        protected: true,
        role: None,
    }
}

#[tokio::test]
async fn each_kind_of_broken_update_has_its_own_way_back() {
    for (code, operation) in
        [("UPDATE_FAILED", "RollbackStack"), ("UPDATE_ROLLBACK_FAILED", "ContinueUpdateRollback")]
    {
        let (cloud, script) = played(&[xml(operation, "")]);
        cloud.recover(Place::Home, &stuck(code)).await.unwrap();
        assert_eq!(script.judged()[0].params["StackName"], ARN);
        // The first answer was lost; AWS says that the state is no longer the right one.
        let moved = refusal(400, "ValidationError", "Stack is in UPDATE_ROLLBACK_IN_PROGRESS");
        let lost = refusal(503, "ServiceUnavailable", "");
        let (cloud, script) = played(&[lost, moved, ours()]);
        cloud.recover(Place::Home, &stuck(code)).await.unwrap();
        assert_eq!(script.operations(), [operation, operation, "DescribeStackEvents"]);
    }
}

#[tokio::test]
async fn every_state_that_aws_lists_is_known() {
    for code in values("cloudformation", "StackStatus") {
        let (cloud, script) = played(&[stacks(&code)]);
        let seen = cloud.find(Place::Home, "duck-data").await.unwrap().unwrap();
        assert_eq!(seen.code, code);
        // Nothing of ours is ever imported into a stack that stands.
        let foreign = code == "IMPORT_ROLLBACK_FAILED";
        assert_eq!(matches!(seen.status, StackStatus::Other(_)), foreign, "{code}");
        let moves = matches!(seen.status, StackStatus::Moving(_));
        let on_its_way = code.ends_with("_IN_PROGRESS") && code != "REVIEW_IN_PROGRESS";
        assert_eq!(moves, on_its_way, "{code}");
        assert_eq!(script.operations(), ["DescribeStacks"]);
    }
    let (cloud, _) = played(&[stacks("PLANETS_ALIGNED")]);
    let seen = cloud.find(Place::Home, "duck-data").await.unwrap().unwrap();
    assert_eq!(seen.status, StackStatus::Other("PLANETS_ALIGNED".into()));
}

#[tokio::test]
async fn a_throttled_look_is_made_again() {
    let slow = refusal(400, "Throttling", "Rate exceeded");
    let (cloud, script) = played(&[slow, stacks("CREATE_IN_PROGRESS")]);
    let seen = cloud.find(Place::Home, "duck-data").await.unwrap().unwrap();
    assert_eq!(seen.code, "CREATE_IN_PROGRESS");
    assert_eq!(script.operations(), ["DescribeStacks", "DescribeStacks"]);
}

#[tokio::test]
async fn events_are_read_back_to_the_start_of_the_operation_and_no_further() {
    let stack = "AWS::CloudFormation::Stack";
    let new = event("new", "T", "CREATE_FAILED", "");
    let start = event("start", stack, "UPDATE_IN_PROGRESS", "");
    let (cloud, script) = played(&[events(&new, Some("more")), events(&start, Some("history"))]);
    let read = cloud.events(Place::Home, "duck-data").await.unwrap();
    let ids: Vec<&str> = read.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["new", "start"]);
    assert_eq!(script.judged()[1].params["NextToken"], "more");
}

#[tokio::test]
async fn drift_is_waited_for_and_read_page_by_page() {
    let id = "<StackDriftDetectionId>d-1</StackDriftDetectionId>";
    let detection = |status: &str| {
        let inner = format!(
            "<StackId>{ARN}</StackId>{id}<DetectionStatus>{status}</DetectionStatus>\
             <Timestamp>2026-11-24T00:00:00Z</Timestamp>"
        );
        xml("DescribeStackDriftDetectionStatus", &inner)
    };
    let next = |token: &str| format!("<NextToken>{token}</NextToken>");
    let listed = |name: &str, next: &str| {
        let inner = format!(
            "<StackResourceSummaries><member><LogicalResourceId>{name}</LogicalResourceId>\
             <ResourceType>T</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>\
             <LastUpdatedTimestamp>2026-11-24T00:00:00Z</LastUpdatedTimestamp></member>\
             </StackResourceSummaries>{next}"
        );
        xml("ListStackResources", &inner)
    };
    let drifted = |name: &str, status: &str, next: &str| {
        let inner = format!(
            "<StackResourceDrifts><member><StackId>{ARN}</StackId>\
             <LogicalResourceId>{name}</LogicalResourceId><ResourceType>T</ResourceType>\
             <StackResourceDriftStatus>{status}</StackResourceDriftStatus>\
             <Timestamp>2026-11-24T00:00:00Z</Timestamp></member></StackResourceDrifts>{next}"
        );
        xml("DescribeStackResourceDrifts", &inner)
    };
    let (cloud, script) = played(&[
        xml("DetectStackDrift", id),
        detection("DETECTION_IN_PROGRESS"),
        detection("DETECTION_COMPLETE"),
        listed("A", &next("two")),
        listed("B", ""),
        drifted("A", "IN_SYNC", &next("zwei")),
        drifted("B", "DELETED", ""),
    ]);
    let found = cloud.drift(Place::Home, "duck-data").await.unwrap();
    let states: Vec<&DriftState> = found.iter().map(|one| &one.state).collect();
    assert_eq!(states, [&DriftState::InSync, &DriftState::Deleted]);
    let asked = script.judged();
    assert_eq!(asked[4].params["NextToken"], "two");
    assert_eq!(asked[6].params["NextToken"], "zwei");
}

#[tokio::test]
async fn protection_removal_and_template_are_asked_for_rightly() {
    let body = "<TemplateBody>Resources: {}</TemplateBody>";
    let (cloud, script) = played(&[
        xml("UpdateTerminationProtection", ""),
        refusal(400, "ValidationError", "Stack [duck-data] does not exist"),
        xml("DeleteStack", ""),
        xml("GetTemplate", body),
        refusal(400, "ValidationError", "Stack with id duck-data does not exist"),
    ]);
    cloud.protect(Place::Home, "duck-data", false).await.unwrap();
    // Seen a moment ago, and gone meanwhile.
    cloud.protect(Place::Home, "duck-data", false).await.unwrap();
    cloud.delete(Place::Home, "duck-data").await.unwrap();
    assert_eq!(cloud.template(Place::Home, "duck-data").await.unwrap(), "Resources: {}");
    assert_eq!(cloud.find(Place::Home, "duck-data").await.unwrap(), None);
    assert_eq!(script.judged()[0].params["EnableTerminationProtection"], false);
}

fn failed_set() -> (u16, String) {
    let (status, text) = described("FAILED", "");
    let reason = "<StatusReason>The following hook(s)/validation failed: \
                  [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early Validation \
                  errors, use the DescribeEvents API for detailed failure information.\
                  </StatusReason>";
    (status, text.replace("<Changes>", &format!("{reason}<Changes>")))
}

fn operation_event(operation: &str, kind: &str, more: &str) -> String {
    format!(
        "<member><EventId>{operation}-{kind}</EventId><StackId>{ARN}</StackId>\
         <OperationId>{operation}</OperationId><EventType>{kind}</EventType>\
         <LogicalResourceId>Table</LogicalResourceId>\
         <ResourceType>AWS::DynamoDB::Table</ResourceType>\
         <Timestamp>2026-11-24T00:00:00Z</Timestamp>{more}</member>"
    )
}

fn taken(operation: &str) -> String {
    let more = "<ValidationName>NAME_CONFLICT_VALIDATION</ValidationName>\
                <ValidationStatus>FAILED</ValidationStatus>\
                <ValidationFailureMode>FAIL</ValidationFailureMode>\
                <ValidationPath>/Resources/Table/Properties/TableName</ValidationPath>\
                <ValidationStatusReason>Resource of type 'AWS::DynamoDB::Table' with identifier \
                'duck-eggs' already exists.</ValidationStatusReason>";
    operation_event(operation, "VALIDATION_ERROR", more)
}

fn operation_events(all: &str, next: &str) -> (u16, String) {
    xml("DescribeEvents", &format!("<OperationEvents>{all}</OperationEvents>{next}"))
}

#[tokio::test]
async fn why_a_change_set_failed_is_read_from_its_events() {
    let warned = taken("one").replace(">FAIL<", ">WARN<").replace("duck-eggs", "only-a-warning");
    let next = "<NextToken>more</NextToken>";
    for mode in [Mode::Plain, Mode::Adopt] {
        let mut answers = vec![
            change_set(),
            failed_set(),
            operation_events(&warned, next),
            operation_events(&taken("one"), ""),
        ];
        if mode == Mode::Plain {
            answers.push(xml("DeleteChangeSet", ""));
        }
        let (cloud, script) = played(&answers);
        let failure = match mode {
            Mode::Adopt => cloud.create(&proposal(mode)).await.unwrap_err(),
            _ => cloud.propose(&proposal(mode)).await.unwrap_err(),
        };
        let cause = failure.cause.clone().unwrap();
        assert!(cause.contains("identifier 'duck-eggs' already exists"), "{cause}");
        assert!(cause.contains("/Resources/Table/Properties/TableName"), "{cause}");
        assert!(!cause.contains("organisation") && !cause.contains("warning"), "{cause}");
        let asked = script.judged();
        let (first, second) = (&asked[2].params, &asked[3].params);
        assert_eq!(first["ChangeSetName"], SET);
        assert_eq!(first.get("StackName"), None, "the ARN alone");
        assert_eq!(first["Filters"], json!({"FailedEvents": true}));
        assert_eq!(second["NextToken"], "more");
    }
}

#[tokio::test]
async fn a_reason_that_may_not_be_read_is_told_as_that() {
    let denied = refusal(403, "AccessDenied", "not authorized: cloudformation:DescribeEvents");
    let (cloud, _) = played(&[change_set(), failed_set(), denied, xml("DeleteChangeSet", "")]);
    let failure = cloud.propose(&proposal(Mode::Plain)).await.unwrap_err();
    let cause = failure.cause.unwrap();
    assert!(cause.contains("ResourceExistenceCheck"), "{cause}");
    assert!(cause.contains("could not be read") && cause.contains("DescribeEvents"), "{cause}");
    assert!(!cause.contains("organisation"), "it was no hook: {cause}");
}

#[tokio::test]
async fn only_the_latest_operation_of_a_stack_has_a_say() {
    let last = |operation: &str| {
        let (status, text) = stacks("ROLLBACK_COMPLETE");
        let entry = format!(
            "<LastOperations><member><OperationType>CREATE_STACK</OperationType>\
             <OperationId>{operation}</OperationId></member></LastOperations></member></Stacks>"
        );
        (status, text.replace("</member></Stacks>", &entry))
    };
    let hook = operation_event(
        "two",
        "HOOK_INVOCATION_ERROR",
        "<HookType>Acme::Guard::Hook</HookType><HookStatus>HOOK_COMPLETE_FAILED</HookStatus>\
         <HookStatusReason>tables need a tag</HookStatusReason>",
    );
    let all = format!("{hook}{}", taken("one"));
    let (cloud, script) = played(&[last("two"), operation_events(&all, "")]);
    let reasons = cloud.reasons(Place::Home, ARN).await.unwrap();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!(reasons[0].origin, Origin::Hook);
    assert_eq!(reasons[0].text, "Acme::Guard::Hook: tables need a tag");
    assert_eq!(script.judged()[1].params["StackName"], ARN);
    let (cloud, _) = played(&[last("three"), operation_events(&all, "")]);
    assert_eq!(cloud.reasons(Place::Home, ARN).await.unwrap(), []);
}

#[tokio::test]
async fn bootstrap_is_created_in_standard_mode() {
    let (cloud, script) = played(&[created()]);
    let bootstrap = Proposal { express: false, role: None, ..proposal(Mode::Plain) };
    cloud.create(&bootstrap).await.unwrap();
    assert_eq!(script.judged()[0].params.get("DeploymentConfig"), None);
}

#[tokio::test]
async fn change_sets_wait_for_a_role_that_is_still_unknown_too() {
    for mode in [Mode::Plain, Mode::Adopt] {
        let early = refusal(400, "ValidationError", "Role arn:aws:iam::1:role/r cannot be assumed");
        let mut answers = vec![early, change_set(), failed_set(), operation_events("", "")];
        if mode == Mode::Plain {
            answers.push(xml("DeleteChangeSet", ""));
        }
        let (cloud, script) = played(&answers);
        let begun = match mode {
            Mode::Adopt => cloud.create(&proposal(mode)).await.map(|_| ()),
            _ => cloud.propose(&proposal(mode)).await.map(|_| ()),
        };
        assert!(begun.is_err(), "the script ends with a failure");
        assert_eq!(script.operations()[..2], ["CreateChangeSet", "CreateChangeSet"]);
    }
}
