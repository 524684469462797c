"""Prints everything that a log group of the account holds, one event a line.

The arguments are the Region and the group's name.
"""

import sys

import botocore.session

session = botocore.session.get_session()
logs = session.create_client("logs", region_name=sys.argv[1])
for page in logs.get_paginator("filter_log_events").paginate(logGroupName=sys.argv[2]):
    for event in page["events"]:
        print(event["message"].rstrip())
