"""Lists what an account holds, through the services' own APIs: prints one JSON object.

For the installation tests: an empty object means that nothing is left. What AWS itself keeps
for a while (keys that wait for their deletion, the record of deleted stacks) does not count.
"""

import json
import sys

import botocore.session

HOME = sys.argv[1]
EDGE = "us-east-1"


def client(service, region=HOME):
    return botocore.session.get_session().create_client(service, region_name=region)


def stacks(region):
    answer = client("cloudformation", region).list_stacks()
    return [
        s["StackName"] for s in answer["StackSummaries"] if s["StackStatus"] != "DELETE_COMPLETE"
    ]


def keys():
    kms = client("kms")
    described = [
        kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]
    ]
    return [k["KeyId"] for k in described if k["KeyState"] != "PendingDeletion"]


def galaxy_roles():
    roles = client("iam").list_roles()["Roles"]
    return [r["RoleName"] for r in roles if not r["Path"].startswith("/aws-service-role/")]


found = {
    "stacks at home": stacks(HOME),
    "stacks at the edge": stacks(EDGE),
    "buckets": [b["Name"] for b in client("s3").list_buckets()["Buckets"]],
    "tables": client("dynamodb").list_tables()["TableNames"],
    "keys": keys(),
    "functions": [f["FunctionName"] for f in client("lambda").list_functions()["Functions"]],
    "apis": [a["Name"] for a in client("apigatewayv2").get_apis()["Items"]],
    "user pools": [
        p["Name"] for p in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    ],
    "distributions": [
        d["Id"]
        for d in client("cloudfront").list_distributions()["DistributionList"].get("Items", [])
    ],
    "roles": galaxy_roles(),
    "parameters": [p["Name"] for p in client("ssm").describe_parameters()["Parameters"]],
    "log groups": [
        g["logGroupName"]
        for region in (HOME, EDGE)
        for g in client("logs", region).describe_log_groups()["logGroups"]
    ],
    "topics": [t["TopicArn"] for t in client("sns").list_topics()["Topics"]],
    "alarms": [
        a["AlarmName"] for a in client("cloudwatch").describe_alarms()["MetricAlarms"]
    ],
}
print(json.dumps({kind: names for kind, names in found.items() if names}))
