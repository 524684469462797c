"""Zones in an emulated Route 53, as somebody at its console has them.

zone.py make NAME [private]        prints the new zone's id
zone.py place ID NAME TYPE VALUE   sets a record
zone.py remove ID NAME TYPE        removes one
zone.py list ID                    prints all but the zone's own: "NAME TYPE" -> what it says
"""

import json
import sys
import uuid
from collections.abc import Callable

import botocore.session

ROUTE53 = botocore.session.get_session().create_client("route53", region_name="us-east-1")


def make(name, private=""):
    asked = {"Name": name, "CallerReference": str(uuid.uuid4())}
    if private:
        asked["HostedZoneConfig"] = {"PrivateZone": True}
    print(ROUTE53.create_hosted_zone(**asked)["HostedZone"]["Id"].split("/")[-1])


def sets(zone):
    pages = ROUTE53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return [
        s for page in pages for s in page["ResourceRecordSets"] if s["Type"] not in ("SOA", "NS")
    ]


def change(zone, action, record):
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    ROUTE53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def place(zone, name, kind, value):
    record = {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]}
    change(zone, "CREATE", record)


def remove(zone, name, kind):
    for record in sets(zone):
        if (record["Name"], record["Type"]) == (name + ".", kind):
            change(zone, "DELETE", record)


def says(record):
    if "AliasTarget" in record:
        target = record["AliasTarget"]
        return f"alias {target['HostedZoneId']} {target['DNSName']}"
    return " ".join(one["Value"] for one in record["ResourceRecords"])


def listed(zone):
    print(json.dumps({f"{s['Name'].rstrip('.')} {s['Type']}": says(s) for s in sets(zone)}))


COMMANDS: dict[str, Callable[..., None]] = {
    "make": make,
    "place": place,
    "remove": remove,
    "list": listed,
}
COMMANDS[sys.argv[1]](*sys.argv[2:])
