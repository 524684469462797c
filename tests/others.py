"""What others have in an emulated AWS: `make` puts it there, `show` prints all of it as JSON."""

import json
import sys

import botocore.session

HOME, EDGE = "eu-central-1", "us-east-1"
ACCOUNT = "000000000000"
SESSION = botocore.session.get_session()
TEMPLATE = json.dumps({"Resources": {"Orders": {"Type": "AWS::SQS::Queue"}}})
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "order", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "order", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
BUCKETS = [
    (HOME, f"spaceduck-artifacts-{ACCOUNT}-{HOME}-an"),
    (EDGE, f"spaceduck-duckgalaxy-{ACCOUNT}-{EDGE}-an"),
]
TABLES = ["spaceduck-eggs", "spaceduck-ledger"]
PARAMETERS = ["/spaceduck/turnstile-secret", "/spaceduck/mail"]
STACKS = [
    (HOME, "spaceduck-api"),
    (HOME, "spaceduck-api-domain"),
    (EDGE, "spaceduck-site-duckgalaxy"),
]


def client(service, region=HOME):
    return SESSION.create_client(service, region_name=region)


def make(kinds):
    if "stacks" in kinds:
        for number, (region, name) in enumerate(STACKS):
            client("cloudformation", region).create_stack(
                StackName=name, TemplateBody=TEMPLATE, EnableTerminationProtection=number % 2 == 0
            )
            client("cloudformation", region).get_waiter("stack_create_complete").wait(
                StackName=name, WaiterConfig={"Delay": 1}
            )
    if "buckets" in kinds:
        for region, name in BUCKETS:
            place = (
                {}
                if region == EDGE
                else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            )
            client("s3", region).create_bucket(Bucket=name, **place)
            client("s3", region).put_object(Bucket=name, Key="theirs", Body=b"theirs")
    if "tables" in kinds:
        for name in TABLES:
            client("dynamodb").create_table(TableName=name, **KEYS)
            client("dynamodb").put_item(TableName=name, Item={"order": {"N": "1"}})
    if "parameters" in kinds:
        for name in PARAMETERS:
            client("ssm").put_parameter(Name=name, Value="theirs", Type="String")


def stack(region, name):
    cloud = client("cloudformation", region)
    try:
        seen = cloud.describe_stacks(StackName=name)["Stacks"][0]
    except cloud.exceptions.ClientError:
        return None
    kept = ("StackId", "StackStatus", "EnableTerminationProtection", "Tags", "LastUpdatedTime")
    return {key: str(seen.get(key)) for key in kept}


def bucket(region, name):
    s3 = client("s3", region)
    try:
        return s3.get_object(Bucket=name, Key="theirs")["Body"].read().decode()
    except s3.exceptions.ClientError:
        return None


def table(name):
    dynamo = client("dynamodb")
    try:
        described = dynamo.describe_table(TableName=name)["Table"]
        return [described["KeySchema"], dynamo.scan(TableName=name)["Items"]]
    except dynamo.exceptions.ClientError:
        return None


def parameter(name):
    ssm = client("ssm")
    try:
        seen = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        return [seen["Value"], seen["Version"]]
    except ssm.exceptions.ClientError:
        return None


if sys.argv[1] == "make":
    make(sys.argv[2:])
show = {
    "stacks": {name: stack(region, name) for region, name in STACKS},
    "buckets": {name: bucket(region, name) for region, name in BUCKETS},
    "tables": {name: table(name) for name in TABLES},
    "parameters": {name: parameter(name) for name in PARAMETERS},
}
print(json.dumps(show, sort_keys=True))
