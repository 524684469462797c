"""Takes names in an account that a galaxy's stacks would give, and leaves things behind."""

import sys

import boto3

region, name = sys.argv[1:]


def client(service: str, where: str = region):
    return boto3.client(service, region_name=where)


client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}-beak")
client("sesv2").create_configuration_set(ConfigurationSetName=f"{name}-tx")
keys = client("kms")
key = keys.create_key()["KeyMetadata"]["KeyId"]
keys.create_alias(AliasName=f"alias/{name}-cert", TargetKeyId=key)
client("iam").create_policy(
    PolicyName=f"{name}-boundary",
    PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
    '"Action": "sts:GetCallerIdentity", "Resource": "*"}]}',
)
front = client("cloudfront", "us-east-1")
front.create_origin_access_control(
    OriginAccessControlConfig={
        "Name": f"{name}-duckgalaxy",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
)
front.create_response_headers_policy(ResponseHeadersPolicyConfig={"Name": f"{name}-duckgalaxy"})
front.create_function(
    Name=f"{name}-duckgalaxy",
    FunctionConfig={"Comment": "taken", "Runtime": "cloudfront-js-2.0"},
    FunctionCode=b"function handler(event) { return event.request; }",
)
client("dynamodb").create_table(
    TableName=f"{name}-eggs",
    BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "email", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "email", "KeyType": "HASH"}],
)
client("cognito-idp").create_user_pool(
    PoolName=f"{name}-ducklings", UserPoolTags={"spaceduck:install": name}
)
