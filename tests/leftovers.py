"""Lists what accounts hold, through the services' own APIs.

For each line of standard input, the address of an emulated AWS, it prints one JSON object: an empty
one means that nothing is left. What AWS itself keeps for a while (keys that wait for their
deletion, the record of deleted stacks) does not count.
"""

import collections
import hashlib
import json
import re
import sys

import botocore.session

HOME = "eu-central-1"
EDGE = "us-east-1"
# One for all clients: reading the models of the services takes longer than asking them.
SESSION = botocore.session.get_session()
endpoint = None


def client(service, region=HOME):
    return SESSION.create_client(service, region_name=region, endpoint_url=endpoint)


def stacks(region):
    answer = client("cloudformation", region).list_stacks()
    return [
        s["StackName"] for s in answer["StackSummaries"] if s["StackStatus"] != "DELETE_COMPLETE"
    ]


def keys():
    kms = client("kms")
    described = [kms.describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in kms.list_keys()["Keys"]]
    return [k["KeyId"] for k in described if k["KeyState"] != "PendingDeletion"]


def galaxy_roles():
    roles = client("iam").list_roles()["Roles"]
    return [r["RoleName"] for r in roles if not r["Path"].startswith("/aws-service-role/")]


def shape(key):
    """A key without what differs between two accounts that hold the same."""
    return key.split("/")[0] + "/…" if "/" in key else key


def looks(s3, bucket, key):
    """An object's digest and headers, with the same address in the place of every random one."""
    found = s3.get_object(Bucket=bucket, Key=key)
    body = re.sub(
        rb"\w+\.cloudfront\.net|\w+\.execute-api\.[\w.:-]+", b"somewhere", found["Body"].read()
    )
    return [
        hashlib.md5(body, usedforsecurity=False).hexdigest(),
        found["ContentType"],
        found.get("CacheControl"),
    ]


def contents():
    """What is in the things: objects by bucket, states of stacks, change sets never run."""
    s3 = client("s3")
    objects, waiting, states = {}, [], {}
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
        stored = [o for page in pages for o in page.get("Contents", [])]
        if "-artifacts-" in name:
            # Named by digests, in which addresses take part: only counted.
            counts = collections.Counter(shape(o["Key"]) for o in stored)
            objects[name] = dict(sorted(counts.items()))
        else:
            objects[name] = {o["Key"]: looks(s3, name, o["Key"]) for o in stored}
    for region in (HOME, EDGE):
        cloudformation = client("cloudformation", region)
        for stack in cloudformation.describe_stacks()["Stacks"]:
            name = stack["StackName"]
            states[name] = stack["StackStatus"]
            sets = cloudformation.list_change_sets(StackName=name)["Summaries"]
            waiting += [name for s in sets if s["ExecutionStatus"] == "AVAILABLE"]
    return {"objects": objects, "change sets": waiting, "states": states}


def account():
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
        "queues": [
            # The end of a queue's name is drawn by lot.
            url.split("/")[-1].rsplit("-", 1)[0]
            for url in client("sqs").list_queues().get("QueueUrls", [])
        ],
        "alarms": [a["AlarmName"] for a in client("cloudwatch").describe_alarms()["MetricAlarms"]],
    }
    found |= contents()

    # What is made at the same time has no order.
    def ordered(things):
        return sorted(things) if isinstance(things, list) else things

    return {kind: ordered(things) for kind, things in found.items() if things}


for line in sys.stdin:
    endpoint = line.strip()
    print(json.dumps(account()), flush=True)
