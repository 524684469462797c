"""What a Python function does before its first call: makes its clients, asks for work."""

import http.client
import os

import boto3

for service in ("dynamodb", "cognito-idp", "sesv2", "kms", "ssm"):
    boto3.client(service)

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
runtime.request("GET", "/2018-06-01/runtime/invocation/next")
runtime.getresponse()
