"""Puts a galaxy of 2026-11-27 into an account, from its rendered templates.

Arguments: FOLDER CODE. The folder has `ORDER-PLACE-NAME.yaml` for each stack, `rows.jsonl` and
`releases/`; CODE is the function's zip.
"""

import json
import pathlib
import re
import sys

import boto3

folder, code = map(pathlib.Path, sys.argv[1:])
REGIONS = {"home": "eu-central-1", "edge": "us-east-1"}
# Where the API's stack has its inputs from, where the names differ.
RENAMED = {"ArtifactBucket": "ArtifactBucketName", "ConfigSetName": "TransactionalConfigSetName"}
clients = {place: boto3.client("cloudformation", region_name=REGIONS[place]) for place in REGIONS}
home = {
    name: boto3.client(name, region_name=REGIONS["home"])
    for name in ("s3", "dynamodb", "cognito-idp")
}
tags = [{"Key": "spaceduck:install", "Value": "spaceduck"}]
outputs: dict[str, str] = {}

for file in sorted(folder.glob("*.yaml")):
    _, place, name = file.stem.split("-", 2)
    body = file.read_text()
    # The parameters that were left open have no default.
    block = re.search(r"^Parameters:\n((?:[ ].*\n)+)", body, re.M)
    entries = re.split(r"^  (?=\w)", block.group(1), flags=re.M) if block else []
    wanted = [entry.split(":")[0] for entry in entries if entry.strip() and "Default:" not in entry]
    parameters = [
        {"ParameterKey": key, "ParameterValue": outputs.get(RENAMED.get(key, key), "")}
        for key in wanted
    ]
    role = {} if name == "bootstrap" else {"RoleARN": outputs["CfnServiceRoleArn"]}
    stack = f"spaceduck-{name}"
    clients[place].create_stack(
        StackName=stack,
        TemplateBody=body,
        Parameters=parameters,
        Tags=tags,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        EnableTerminationProtection=True,
        **role,
    )
    clients[place].get_waiter("stack_create_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1}
    )
    made = clients[place].describe_stacks(StackName=stack)["Stacks"][0]
    outputs.update({one["OutputKey"]: one["OutputValue"] for one in made.get("Outputs", [])})
    if name == "bootstrap":
        bucket = outputs["ArtifactBucketName"]
        home["s3"].put_object(
            Bucket=bucket, Key="lambda/6c6f6e672061676f.zip", Body=code.read_bytes()
        )
        for record in (folder / "releases").iterdir():
            home["s3"].put_object(
                Bucket=bucket, Key=f"releases/{record.name}", Body=record.read_bytes()
            )

for line in (folder / "rows.jsonl").read_text().splitlines():
    row = json.loads(line)
    home["dynamodb"].put_item(TableName=f"spaceduck-{row['table']}", Item=row["item"])
for person in ("swan", "crane"):
    address = f"{person}@example.com"
    home["cognito-idp"].admin_create_user(
        UserPoolId=outputs["UserPoolId"],
        Username=address,
        MessageAction="SUPPRESS",
        UserAttributes=[
            {"Name": "email", "Value": address},
            {"Name": "email_verified", "Value": "true"},
        ],
    )
