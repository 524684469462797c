"""The signature that botocore gives a request, for one that the function has signed itself.

Reads JSON from stdin: {method, url, headers, body, service}; prints the `authorization` header as
it should be.
"""

import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

asked = json.load(sys.stdin)
headers = {name.lower(): value for name, value in asked["headers"].items()}
theirs = headers.pop("authorization")
names = theirs.split("SignedHeaders=")[1].split(",")[0].split(";")
region = theirs.split("Credential=")[1].split("/")[2]
request = AWSRequest(
    method=asked["method"],
    url=asked["url"],
    headers={name: headers[name] for name in names},
    data=asked["body"],
)
request.context["timestamp"] = headers["x-amz-date"]
auth = SigV4Auth(Credentials("test", "test"), asked["service"], region)
to_sign = auth.string_to_sign(request, auth.canonical_request(request))
print(
    f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, "
    f"SignedHeaders={';'.join(sorted(names))}, Signature={auth.signature(to_sign, request)}"
)
