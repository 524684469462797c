"""Birth certificates without a network, and what they are worth with one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from conftest import Clients, Home
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from relay import Relay, answers

import spaceduck
from spaceduck import InvalidCertificateError, verify_certificate

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def jwk(kid: str = "own", **named: Any) -> dict[str, Any]:
    x = encoded(KEY.public_key().public_bytes_raw()).decode()
    key = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"}
    return {**key, **named}


CLAIMS: dict[str, Any] = {
    "iss": "http://localhost:3825",
    "sub": "dkl_" + "0" * 26,
    "jti": "crt_" + "0" * 26,
    "iat": 1_700_000_000,
    "name": "Ada",
    "email_sha256": "0" * 64,
    "tier": "T1",
    "ver": 1,
}


def signed(claims: dict[str, Any], alg: str = "EdDSA", key: Any = KEY, **header: Any) -> str:
    """Written out, because no library makes a token that is wrong."""
    head = {"alg": alg, "kid": "own", "typ": "JWT", **header}
    head = {name: value for name, value in head.items() if value is not None}
    text = b".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
    signature = b""
    if alg == "EdDSA":
        signature = key.sign(text)
    elif alg == "HS256":
        signature = hmac.digest(key, text, "sha256")
    return b".".join((text, encoded(signature))).decode()


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def deep(levels: int) -> bytes:
    """JSON that is nested so deeply that Python's reader gives up."""
    return b"[" * levels + b"]" * levels


def signed_bytes(payload: bytes) -> str:
    """A certificate of the right key over anything at all."""
    header = json.dumps({"alg": "EdDSA", "kid": "own"}).encode()
    content = encoded(header) + b"." + encoded(payload)
    return (content + b"." + encoded(KEY.sign(content))).decode()


def refused(certificate: Any, jwks: Any, **named: Any) -> InvalidCertificateError:
    with pytest.raises(InvalidCertificateError) as caught:
        verify_certificate(certificate, jwks, **named)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def test_a_real_certificate_says_who_it_is_of(clients: Clients, home: Home) -> None:
    hatched = home.hatch("Ada 🦆")
    duck = clients.duck(hatched.beak_key, home.base)
    jwks = duck.jwks()
    for keys in (jwks, json.dumps(jwks), json.dumps(jwks).encode()):
        claims = verify_certificate(hatched.certificate, keys, issuer=home.base + "/")
        assert (claims.duckling_id, claims.cert_id) == (hatched.duckling_id, hatched.cert_id)
        assert (claims.trust_tier, claims.name, claims["name"]) == ("T0", "Ada 🦆", "Ada 🦆")
        assert claims.email_sha256 == hashlib.sha256(duck.me().email.encode()).hexdigest()
        assert abs(claims.iat - time.time()) < 60
    assert duck.verify_certificate(hatched.certificate) == claims
    assert claims.is_at_least("T0")
    assert not claims.is_at_least("T1")


def test_a_changed_certificate_is_not_believed(home: Home) -> None:
    certificate = home.hatch().certificate
    with spaceduck.Galaxy(home.base) as galaxy:
        jwks = galaxy.jwks()
    # The last character's unused bits are no part of the signature, RFC 4648 section 3.5.
    for at in range(len(certificate) - 1):
        other = "B" if certificate[at] == "A" else "A"
        refused(certificate[:at] + other + certificate[at + 1 :], jwks)
    head, body, signature = certificate.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "tier": "T2"}).encode())
    error = refused(f"{head}.{forged.rstrip(b'=').decode()}.{signature}", jwks)
    assert error.reason == "bad_signature"


def test_a_certificate_of_another_galaxy(clients: Clients, home: Home, other_home: Home) -> None:
    foreign = other_home.hatch().certificate
    galaxy = clients.galaxy(home.base)
    error = refused(foreign, galaxy.jwks())
    assert error.reason == "unknown_key"
    assert "another galaxy" in str(error)
    with pytest.raises(InvalidCertificateError) as caught:
        galaxy.verify_certificate(foreign)
    assert caught.value.reason == "unknown_key"
    judged = galaxy.check_certificate(foreign)
    assert not judged.valid
    assert judged.duckling_id is None
    # Both are known, and the issuer tells them apart.
    both = {"keys": galaxy.jwks()["keys"] + clients.galaxy(other_home.base).jwks()["keys"]}
    assert verify_certificate(foreign, both, issuer=other_home.base).iss == other_home.base
    error = refused(foreign, both, issuer=home.base)
    assert error.reason == "wrong_issuer"
    assert other_home.base in str(error)


def test_a_galaxy_that_moved_vouches_for_its_former_address(home: Home) -> None:
    certificate = home.hatch().certificate
    with spaceduck.Galaxy(home.base) as galaxy:
        jwks = galaxy.jwks()
    assert jwks["issuers"] == [home.base]
    new = "https://new.example/prod"
    moved = {**jwks, "issuers": [new, home.base]}
    for issuer in (new, new + "/", home.base):
        assert verify_certificate(certificate, moved, issuer=issuer).iss == home.base
    # A set vouches for what it lists, and only to those who trust one of its addresses.
    for issuers in ([new], [home.base], [], None, "x", [1]):
        error = refused(certificate, {**jwks, "issuers": issuers}, issuer=new)
        assert error.reason == "wrong_issuer"


def test_what_a_certificate_is_worth_now(clients: Clients, home: Home) -> None:
    ada, bob = clients.hatched(home), clients.hatched(home)
    old = ada.certificate().certificate
    judged = clients.galaxy(home.base).check_certificate(old)
    assert (judged.valid, judged.reason, judged.status) == (True, None, "valid")
    bob.approve(ada.peck(bob.me().duckling_id, "data.read").peck_id)
    new = ada.certificate().certificate
    assert ada.verify_certificate(new).is_at_least("T1")
    # Offline the old one is as good as ever; only the galaxy knows better.
    assert ada.verify_certificate(old).trust_tier == "T0"
    judged = ada.check_certificate(old)
    assert (judged.valid, judged.status) == (False, "superseded")
    assert judged.reason
    ada.delete()
    assert bob.check_certificate(new).status == "revoked"


def without(name: str) -> dict[str, Any]:
    return {claim: value for claim, value in CLAIMS.items() if claim != name}


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        ("a.b.c", "malformed"),
        ("...", "malformed"),
        ("ü.ü.ü", "malformed"),
        (None, "malformed"),
        (b"a.b.c", "malformed"),
        ("A" * 100_000, "malformed"),
        ("\ud800.a.b", "malformed"),
        ("é.é.é", "malformed"),
        (f"{encoded(deep(2000)).decode()}.a.b", "malformed"),
        (signed(CLAIMS) + ".", "malformed"),
        (signed(CLAIMS) + ".a.b", "malformed"),
        (signed(CLAIMS, alg="none", key=None), "malformed"),
        (signed(CLAIMS, alg="HS256", key=b"k" * 32), "malformed"),
        (signed(CLAIMS, kid=None), "malformed"),
        (signed(CLAIMS, crit=["x"], x=1), "malformed"),
        (signed(CLAIMS, kid="other"), "unknown_key"),
        (signed(CLAIMS, key=Ed25519PrivateKey.generate()), "bad_signature"),
        (signed({**CLAIMS, "iat": int(time.time()) + 3600}), "not_yet_valid"),
        (signed({**CLAIMS, "exp": 1_700_000_000}), "bad_claims"),
        (signed({**CLAIMS, "ver": 2}), "bad_claims"),
        (signed({**CLAIMS, "ver": "1"}), "bad_claims"),
        (signed({**CLAIMS, "ver": True}), "bad_claims"),
        (signed({**CLAIMS, "tier": "gold"}), "bad_claims"),
        (signed({**CLAIMS, "tier": 1}), "bad_claims"),
        (signed({**CLAIMS, "sub": "pck_1"}), "bad_claims"),
        (signed({**CLAIMS, "jti": "dkl_1"}), "bad_claims"),
        *(
            (signed({k: v for k, v in CLAIMS.items() if k != name}), "bad_claims")
            for name in CLAIMS
        ),
    ],
)
def test_what_is_no_certificate(certificate: Any, reason: str) -> None:
    assert refused(certificate, {"keys": [jwk()]}).reason == reason


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b"[]",
        deep(1400),
        json.dumps({**CLAIMS, "iat": float("inf")}).encode(),
        json.dumps({**CLAIMS, "iat": "soon"}).encode(),
        json.dumps({**CLAIMS, "iat": []}).encode(),
        json.dumps({**CLAIMS, "exp": float("inf")}).encode(),
        json.dumps({**CLAIMS, "nbf": float("-inf")}).encode(),
    ],
)
def test_what_the_right_key_has_signed_is_read_with_care(payload: bytes) -> None:
    error = refused(signed_bytes(payload), {"keys": [jwk()]})
    assert error.reason in ("malformed", "bad_claims")


def test_the_certificate_does_not_say_how_it_is_checked() -> None:
    # A secret of the public key's own bytes, as a careless reader would take it.
    public = KEY.public_key().public_bytes_raw()
    for alg in ("HS256", "none"):
        key = public if alg == "HS256" else None
        assert refused(signed(CLAIMS, alg=alg, key=key), {"keys": [jwk()]}).reason == "malformed"


def test_a_set_of_a_newer_galaxy_has_other_keys_too() -> None:
    unreadable: list[Any] = [None, 5, [], {}, "", "A", "!", "é", "\ud800"]
    strange: list[Any] = [
        {"kty": "AKP", "kid": "own", "alg": "ML-DSA-44"},
        {"kty": "OKP", "crv": "Ed448", "kid": "own", "x": "AA"},
        jwk(x="AA"),
        *(jwk(x=x) for x in unreadable),
        *(jwk(d=d) for d in (5, "!")),
        jwk(use="enc"),
        "no key",
        {},
    ]
    assert verify_certificate(signed(CLAIMS), {"keys": [*strange, jwk()]}).is_at_least("T1")
    assert refused(signed(CLAIMS), {"keys": strange}).reason == "unknown_key"
    newer = verify_certificate(signed({**CLAIMS, "tier": "T3", "new": 1}), {"keys": [jwk()]})
    assert newer.is_at_least("T2")
    assert newer["new"] == 1


@pytest.mark.parametrize(
    "jwks",
    ["", "[]", "{}", b"\xff", None, [], {"keys": None}, deep(2000), deep(2000).decode()],
)
def test_what_is_no_set_of_keys(jwks: Any) -> None:
    with pytest.raises(spaceduck.UsageError, match="no set of keys"):
        verify_certificate(signed(CLAIMS), jwks)


def test_keys_are_fetched_when_they_have_to_be(
    relay: Relay, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    galaxy = clients.galaxy(relay.base)
    keys, other = answers(200, {"keys": [jwk()]}), answers(200, {"keys": [jwk("new")]})
    relay.does(keys)
    for _ in range(3):
        galaxy.verify_certificate(signed(CLAIMS))
    assert len(relay.seen) == 1
    # Nobody makes it fetch keys at each forged certificate.
    for _ in range(3):
        with pytest.raises(InvalidCertificateError):
            galaxy.verify_certificate(signed(CLAIMS, kid="new"))
    assert len(relay.seen) == 1
    now += 61
    relay.does(other)
    assert galaxy.verify_certificate(signed(CLAIMS, kid="new")).name == "Ada"
    # A key that was taken back is not believed for long.
    now += 301
    relay.does(keys)
    with pytest.raises(InvalidCertificateError):
        galaxy.verify_certificate(signed(CLAIMS, kid="new"))
