"""Lets the function fail the news of a bounce, and hands over again what lies in the queue then.

Prints one JSON object:
  queue     how the queue is kept, and who may put something into it
  targets   what the rule does with what it can't hand over
  retries   what Lambda does with what the function fails
  watched   which alarm looks at the queue
  before    how many reports the ledger had, after the function had failed
  record    what lay in the queue: under which condition, and what the function had said
  after     how many it has, after the same body was handed to the function
  left      how many messages are left
"""

import fnmatch
import json
import sys

import boto3

region, galaxy = sys.argv[1:]


def client(service):
    return boto3.client(service, region_name=region)


functions, sqs, tables = client("lambda"), client("sqs"), client("dynamodb")
function, ledger = f"{galaxy}-beak", f"{galaxy}-ledger"

stack = client("cloudformation").describe_stacks(StackName=f"{galaxy}-api")["Stacks"][0]
queue = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}["MailDeadLettersUrl"]
attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
arn = attributes["QueueArn"]


def rights():
    """Whether the function's role may send to this queue, and to no other."""
    role = functions.get_function(FunctionName=function)["Configuration"]["Role"].split("/")[-1]
    document = client("iam").get_role_policy(RoleName=role, PolicyName="beak")["PolicyDocument"]
    if isinstance(document, str):
        document = json.loads(document)
    allowed = [s["Resource"] for s in document["Statement"] if "sqs:SendMessage" in s["Action"]]
    return [fnmatch.fnmatchcase(arn, one) and galaxy in one for one in allowed]


def watched():
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    queue = arn.split(":")[-1]

    def looks(a):
        return a["Namespace"] == "AWS/SQS" and a["Dimensions"][0]["Value"] == queue

    return [a["AlarmName"] for a in alarms if looks(a)]


def reports():
    kept = tables.scan(TableName=ledger)["Items"]
    return sum(item["pk"]["S"] == "feedback#0107-dead" for item in kept)


found = {
    "queue": {
        "days": int(attributes["MessageRetentionPeriod"]) // 86400,
        "encrypted": attributes.get("SqsManagedSseEnabled"),
        "policy": json.loads(attributes["Policy"])["Statement"],
        "role": rights(),
    },
    "arn": arn,
    "targets": client("events").list_targets_by_rule(Rule=f"{galaxy}-mail")["Targets"],
    "rule": client("events").describe_rule(Name=f"{galaxy}-mail")["Arn"],
    "retries": functions.get_function_event_invoke_config(FunctionName=function, Qualifier="live"),
    "watched": watched(),
}

# The emulator knows where failed events go only for a function as a whole: the alias's setting is
# put there, and the function called without its alias.
functions.put_function_event_invoke_config(
    FunctionName=function, DestinationConfig=found["retries"]["DestinationConfig"]
)
shape = tables.describe_table(TableName=ledger)["Table"]
tables.update_table(TableName=ledger, DeletionProtectionEnabled=False)
tables.delete_table(TableName=ledger)
recipient = {"emailAddress": "swan@example.com"}
event = {
    "version": "0",
    "detail-type": "Email Bounced",
    "source": "aws.ses",
    "detail": {
        "eventType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bouncedRecipients": [recipient]},
        "mail": {"messageId": "0107-dead", "tags": {"ses:configuration-set": [f"{galaxy}-tx"]}},
    },
}
functions.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
# Each answers as soon as there is something.
looks = (sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages") for _ in range(6))
messages = next(filter(None, looks), None)
assert messages, "what the function failed never came into the queue"
tables.create_table(
    TableName=ledger,
    KeySchema=shape["KeySchema"],
    AttributeDefinitions=shape["AttributeDefinitions"],
    BillingMode="PAY_PER_REQUEST",
)
found["before"] = reports()
[message] = messages
record = json.loads(message["Body"])
found["record"] = {
    "condition": record["requestContext"]["condition"],
    "same": record["requestPayload"] == event,
    "said": json.dumps(record["responsePayload"]),
}
# As the runbook does it: the body as it is, to the alias.
answer = functions.invoke(FunctionName=f"{function}:live", Payload=message["Body"])
assert "FunctionError" not in answer, answer["Payload"].read()
sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
found["after"] = reports()
left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
found["left"] = sum(int(left[name]) for name in names)
found["retries"].pop("ResponseMetadata")
found["retries"].pop("LastModified")
print(json.dumps(found, default=str))
