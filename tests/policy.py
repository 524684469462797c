"""What others know about AWS's calls and rights.

Reads policy documents as a JSON list; writes one JSON object:
  operations  SDK crate -> its operations, as the SDK's methods are called
  handlers    resource type -> what CloudFormation needs to read and delete one
  findings    what a linter of IAM policies minds
"""

import json
import sys

import botocore.session
import parliament
from botocore import xform_name
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

# The SDK's crate, where botocore calls the service otherwise.
OTHERWISE = {
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "resourcegroupstagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas",
}
TYPES = [
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
]


def operations(crate: str) -> list[str]:
    model = botocore.session.get_session().get_service_model(OTHERWISE.get(crate, crate))
    return [xform_name(name) for name in model.operation_names]


def handlers(kind: str) -> list[str]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    needed = [schema["handlers"][handler]["permissions"] for handler in ("read", "delete")]
    return sorted({action for actions in needed for action in actions})


def findings(document: dict) -> list[dict]:
    policy = parliament.analyze_policy_string(json.dumps(document))
    return [
        {"issue": finding.issue, "detail": str(finding.detail), "at": str(finding.location)}
        for finding in policy.findings
    ]


def main() -> None:
    asked = json.load(sys.stdin)
    answer = {
        "operations": {crate: operations(crate) for crate in asked["crates"]},
        "handlers": {kind: handlers(kind) for kind in TYPES},
        "findings": [finding for one in asked["documents"] for finding in findings(one)],
    }
    json.dump(answer, sys.stdout)


main()
