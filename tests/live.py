"""Prints which version of a function is live, and how much memory it has."""

import json
import sys

import boto3

region, function = sys.argv[1:]
client = boto3.client("lambda", region_name=region)
version = client.get_alias(FunctionName=function, Name="live")["FunctionVersion"]
settings = client.get_function_configuration(FunctionName=function, Qualifier=version)
print(json.dumps({"version": version, "memory": settings["MemorySize"]}))
