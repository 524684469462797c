"""Verifies birth certificates with joserfc, from the published keys alone.

The argument is a file with the keys and, for each certificate, what it has to say.
"""

import hashlib
import json
import sys

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

with open(sys.argv[1], encoding="utf-8") as file:
    given = json.load(file)
keys = KeySet.import_key_set(given["keys"])

for case in given["cases"]:
    certificate = case["certificate"]
    token = jwt.decode(certificate, keys, algorithms=["EdDSA"])
    claims = token.claims
    assert token.header["alg"] == "EdDSA", token.header
    for name in ("iss", "sub", "jti", "name", "tier", "ver"):
        if case[name] is not None:
            assert claims[name] == case[name], (name, claims)
    email = hashlib.sha256(case["email"].encode()).hexdigest()
    assert claims["email_sha256"] == email, claims
    assert isinstance(claims["iat"], int), claims
    # A changed byte fails, wherever it is.
    for at in range(len(certificate)):
        changed = (
            certificate[:at] + ("B" if certificate[at] == "A" else "A") + certificate[at + 1 :]
        )
        try:
            jwt.decode(changed, keys, algorithms=["EdDSA"])
        except (JoseError, ValueError):
            continue
        # The last character's unused bits are no part of the signature, RFC 4648 section 3.5.
        if at != len(certificate) - 1:
            sys.exit(f"byte {at} was changed and nobody saw it")
