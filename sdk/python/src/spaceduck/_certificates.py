"""Birth certificates, checked offline: nothing but the certificate and the galaxy's public keys."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import jwt

from ._errors import InvalidCertificateError, UsageError
from ._models import Claims

#: The version of the claims that this package reads.
_VERSION = 1
#: No certificate comes near to this.
_LONGEST = 8 * 1024
#: Of a compact JWS, RFC 7515 section 7.1; older releases of PyJWT don't count them.
_DOTS = 2
_CLOCK_SKEW = 60
#: What PyJWT, older releases included, raises for a key or a text that it can't read: its own
#: errors, those of base64 and UTF-8, and those of JSON nested too deeply and of infinite numbers.
_UNREADABLE = (jwt.PyJWTError, TypeError, ValueError, RecursionError, OverflowError)
_CLAIMS: dict[str, type] = {
    "iss": str,
    "sub": str,
    "jti": str,
    "iat": int,
    "name": str,
    "email_sha256": str,
    "tier": str,
    "ver": int,
}


def verify_certificate(
    certificate: str, jwks: Mapping[str, Any] | str | bytes, *, issuer: str | None = None
) -> Claims:
    """What a birth certificate says, if the galaxy of this key set has signed it.

    `jwks` is the galaxy's `/beak/jwks.json`, as text or as read. `issuer` is the galaxy's base
    address, for a set with keys of several galaxies. If the set lists it among its `issuers`, the
    others there count as well: a galaxy that moved signed under its former address.

    No network is used, so this can't know that a certificate was superseded or revoked since:
    `check_certificate` of a client asks the galaxy.
    """
    kid = _kid(certificate)
    given = _key_set(jwks)
    key = _key(given["keys"], kid)
    # Kept apart, so that no error carries another library's error with it.
    problem: InvalidCertificateError
    try:
        payload = jwt.decode(
            certificate,
            key,
            # Ours to say and not the certificate's: RFC 8725 section 3.1.
            algorithms=["EdDSA"],
            leeway=_CLOCK_SKEW,
            options={"require": list(_CLAIMS), "verify_aud": False},
        )
    except jwt.InvalidSignatureError:
        problem = _invalid("bad_signature", "the certificate was changed after it was signed")
    except jwt.ImmatureSignatureError:
        problem = _invalid("not_yet_valid", "the certificate is from the future; are clocks right?")
    except _UNREADABLE as error:
        known = not isinstance(error, jwt.DecodeError)
        message = f"what is signed is no birth certificate ({type(error).__name__})"
        problem = _invalid("bad_claims" if known else "malformed", message)
    else:
        return _claims(payload, _accepted(given, issuer))
    raise problem


def _kid(certificate: str) -> str:
    is_text = isinstance(certificate, str) and certificate.isascii()
    if not is_text or len(certificate) > _LONGEST or certificate.count(".") != _DOTS:
        raise _invalid("malformed", "this is no certificate: one is a compact JWS, three parts")
    header: Mapping[str, Any] = {}
    with contextlib.suppress(*_UNREADABLE):
        header = jwt.get_unverified_header(certificate)
    if not header:
        raise _invalid("malformed", "this is no certificate: one is a compact JWS, three parts")
    kid = header.get("kid")
    # Nothing critical is understood here, RFC 7515 section 4.1.11; older PyJWT ignores it.
    if header.get("alg") != "EdDSA" or not isinstance(kid, str) or "crit" in header:
        raise _invalid("malformed", "this is no birth certificate: those say EdDSA and a key")
    return kid


def _accepted(jwks: Mapping[str, Any], issuer: str | None) -> list[str] | None:
    """The issuers to accept; `None` accepts any that the set's keys vouch for."""
    if issuer is None:
        return None
    listed = jwks.get("issuers")
    names = listed if isinstance(listed, list) else []
    known = [name.rstrip("/") for name in names if isinstance(name, str)]
    asked = issuer.rstrip("/")
    return [asked, *known] if asked in known else [asked]


def _key_set(jwks: Mapping[str, Any] | str | bytes) -> Mapping[str, Any]:
    given: Any = jwks
    if isinstance(jwks, (str, bytes)):
        try:
            given = json.loads(jwks)
        except (ValueError, RecursionError):
            given = None
    if not isinstance(given, Mapping) or not isinstance(given.get("keys"), list):
        raise UsageError("this is no set of keys (RFC 7517); take the galaxy's /beak/jwks.json")
    return given


def _key(keys: list[Any], kid: str) -> jwt.PyJWK:
    for key in keys:
        if not isinstance(key, Mapping) or key.get("kid") != kid:
            continue
        # A newer galaxy may have keys of other kinds beside this one.
        if key.get("kty") != "OKP" or key.get("crv") != "Ed25519":
            continue
        if key.get("use", "sig") != "sig":
            continue
        try:
            return jwt.PyJWK(dict(key), algorithm="EdDSA")
        except _UNREADABLE:
            continue
    message = (
        "no key of this set has signed the certificate: it is from another galaxy, or the set is "
        "older than the certificate"
    )
    raise _invalid("unknown_key", message)


def _claims(payload: Mapping[str, Any], issuers: list[str] | None) -> Claims:
    for name, kind in _CLAIMS.items():
        value = payload[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _invalid("bad_claims", f"`{name}` of the certificate is no {kind.__name__}")
    claims = Claims(payload)
    if claims.ver != _VERSION:
        message = f"the certificate is of version {claims.ver}, and this package reads {_VERSION}"
        raise _invalid("bad_claims", f"{message}; take a newer package")
    is_tier = claims.tier[:1] == "T" and claims.tier[1:].isascii() and claims.tier[1:].isdigit()
    if not is_tier or not claims.sub.startswith("dkl_") or not claims.jti.startswith("crt_"):
        raise _invalid("bad_claims", "what is signed is not about a duckling")
    if issuers is not None and claims.iss.rstrip("/") not in issuers:
        message = f"the certificate is from `{claims.iss}`, not `{issuers[0]}`"
        raise _invalid("wrong_issuer", message)
    return claims


def _invalid(reason: str, message: str) -> InvalidCertificateError:
    return InvalidCertificateError(message, reason=reason)
