"""Each call of the Beak that this package makes, as data. The clients only send them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from . import _models as models
from ._address import segment
from ._call import Call
from ._errors import UnexpectedAnswerError, UsageError
from ._model import M, read
from ._paging import Page, read_page

_LONGEST_REPEAT_KEY = 255
_ASK = "it may have been done; look before you call again"


def _gives(model: type[M]) -> Callable[[Any], M]:
    return partial(read, model)


def metrics() -> Call[models.Metrics]:
    """The galaxy in numbers."""
    return Call("GET", "/metrics", _gives(models.Metrics), with_key=False, is_repeatable=True)


def status() -> Call[models.SystemStatus]:
    """Whether all is well."""
    path = "/system/status"
    return Call("GET", path, _gives(models.SystemStatus), with_key=False, is_repeatable=True)


def inside() -> Call[models.SystemStatus]:
    """The same, with what operators see."""
    return Call("GET", "/system/status", _gives(models.SystemStatus), is_repeatable=True)


def openapi() -> Call[dict[str, Any]]:
    """The document of the API."""
    return Call("GET", "/openapi.json", _document, with_key=False, is_repeatable=True)


def _document(data: object) -> dict[str, Any]:
    if isinstance(data, dict) and isinstance(data.get("openapi"), str):
        return data
    raise UnexpectedAnswerError("the answer is not an OpenAPI document")


def jwks() -> Call[dict[str, Any]]:
    """The public keys."""
    return Call("GET", "/jwks.json", _key_set, with_key=False, is_repeatable=True)


def _key_set(data: object) -> dict[str, Any]:
    if isinstance(data, dict) and isinstance(data.get("keys"), list):
        return data
    raise UnexpectedAnswerError("the answer is no set of keys (RFC 7517)")


def hatch(email: str, password: str, display_name: str, captcha_token: str) -> Call[models.EggLaid]:
    """Lays an egg."""
    body = {
        "email": email,
        "password": password,
        "display_name": display_name,
        "captcha_token": captcha_token,
    }
    recovery = "the mail with the code may be on its way; if not, call `resend`"
    read = _gives(models.EggLaid)
    return Call("POST", "/hatch", read, body=body, with_key=False, recovery=recovery)


def verify(
    email: str,
    code: str,
    hatch_id: str | None = None,
    password: str | None = None,
    display_name: str | None = None,
) -> Call[models.Hatched]:
    """Exchanges a code for a duckling."""
    body = _given(
        email=email, code=code, hatch_id=hatch_id, password=password, display_name=display_name
    )
    recovery = (
        "the duckling may have hatched and its key be lost on the way; if `verify` now refuses the "
        "code, sign in on the site `spaceduckling`, with a new password if need be, and rotate the "
        "key"
    )
    read = _gives(models.Hatched)
    return Call("POST", "/verify", read, body=body, with_key=False, recovery=recovery)


def resend(
    email: str, hatch_id: str | None = None, captcha_token: str | None = None
) -> Call[models.Mailed]:
    """Sends another code."""
    body = _given(email=email, hatch_id=hatch_id, captcha_token=captcha_token)
    read = _gives(models.Mailed)
    return Call("POST", "/resend", read, body=body, with_key=False, recovery=_ASK)


def _given(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def get_certificate(cert_id: str) -> Call[models.Certificate]:
    """A certificate's public side."""
    path, read = f"/certificates/{segment(cert_id)}", _gives(models.Certificate)
    return Call("GET", path, read, with_key=False, is_repeatable=True, may_miss=True)


def check_certificate(certificate: str) -> Call[models.Judgement]:
    """What a certificate is worth now."""
    path, read = "/certificates/verify", _gives(models.Judgement)
    body = {"certificate": certificate}
    return Call("POST", path, read, body=body, with_key=False, is_repeatable=True)


def me() -> Call[models.Me]:
    """The duckling itself."""
    return Call("GET", "/me", _gives(models.Me), is_repeatable=True)


def rename(display_name: str) -> Call[models.Me]:
    """Gives it another name."""
    body = {"display_name": display_name}
    return Call("PATCH", "/me", _gives(models.Me), body=body, is_repeatable=True)


def export() -> Call[models.Export]:
    """Everything that is kept of it."""
    return Call("GET", "/me/export", _gives(models.Export), is_repeatable=True)


def delete() -> Call[models.Status]:
    """Deletes it."""
    recovery = "if the key is refused now, the duckling is deleted"
    return Call("DELETE", "/me", _gives(models.Status), recovery=recovery)


def rotate_key() -> Call[models.Rotated]:
    """Exchanges the key."""
    recovery = (
        "if the key is refused now, the new one was lost on the way; sign in on the site "
        "`spaceduckling` and rotate it there"
    )
    return Call("POST", "/keys/rotate", _gives(models.Rotated), recovery=recovery)


def pulse() -> Call[models.Status]:
    """Says that the agent is alive."""
    return Call("POST", "/pulse", _gives(models.Status), is_repeatable=True)


def certificate() -> Call[models.Certificate]:
    """One's own certificate."""
    return Call("GET", "/certificate", _gives(models.Certificate), is_repeatable=True)


def request_tier(statement: str) -> Call[models.Status]:
    """Asks for T2."""
    body = {"statement": statement}
    recovery = "`me().tier_request` tells whether it arrived"
    return Call("POST", "/tier/request", _gives(models.Status), body=body, recovery=recovery)


def peck(
    target_duckling_id: str, peck_type: str, message: str, idempotency_key: str | None
) -> Call[models.PeckAsked]:
    """Asks for a bond; a repeat with the same key is the same peck."""
    body = {
        "target_duckling_id": target_duckling_id,
        "peck_type": peck_type,
        "message": message,
    }
    headers = {"Idempotency-Key": _repeat_key(idempotency_key)}
    read = _gives(models.PeckAsked)
    return Call(
        "POST", "/peck", read, body=body, headers=headers, is_repeatable=True, may_miss=True
    )


def _repeat_key(given: str | None) -> str:
    if given is None:
        return str(uuid.uuid4())
    if not 1 <= len(given) <= _LONGEST_REPEAT_KEY or not given.isascii() or not given.isprintable():
        raise UsageError("an idempotency key has 1 to 255 visible ASCII characters")
    return given


def get_duck(duckling_id: str) -> Call[models.PublicDuck]:
    """What another duckling shows."""
    path = f"/ducks/{segment(duckling_id)}"
    return Call("GET", path, _gives(models.PublicDuck), is_repeatable=True, may_miss=True)


def block(duckling_id: str) -> Call[models.Status]:
    """Refuses its pecks."""
    body, read = {"duckling_id": duckling_id}, _gives(models.Status)
    return Call("POST", "/me/blocks", read, body=body, is_repeatable=True, may_miss=True)


def unblock(duckling_id: str) -> Call[models.Status]:
    """Takes its pecks again."""
    path, read = f"/me/blocks/{segment(duckling_id)}", _gives(models.Status)
    recovery = "if it says `not_found` now, the block is gone"
    return Call("DELETE", path, read, may_miss=True, recovery=recovery)


def get_peck(peck_id: str) -> Call[models.Peck]:
    """One peck."""
    path = f"/pecks/{segment(peck_id)}"
    return Call("GET", path, _gives(models.Peck), is_repeatable=True, may_miss=True)


def approve(peck_id: str) -> Call[models.PeckApproved]:
    """Says yes."""
    return _answering("/approve", peck_id, models.PeckApproved)


def deny(peck_id: str) -> Call[models.Status]:
    """Says no."""
    return _answering("/deny", peck_id, models.Status)


def unpeck(peck_id: str) -> Call[models.Status]:
    """Ends it."""
    return _answering("/unpeck", peck_id, models.Status)


def _answering(path: str, peck_id: str, model: type[M]) -> Call[M]:
    # Not repeatable: a second one is refused as settled, and that hides what the first one did.
    body = {"peck_id": peck_id}
    recovery = "`get_peck` tells the state that the peck is in"
    return Call("POST", path, _gives(model), body=body, may_miss=True, recovery=recovery)


def pecks(
    direction: str | None, state: str | None, limit: int | None, cursor: str | None
) -> Call[Page[models.Peck]]:
    """A part of one's own pecks."""
    params = {"direction": direction, "status": state, "limit": limit, "cursor": cursor}
    read = partial(read_page, "pecks", models.Peck)
    return Call("GET", "/pecks", read, params=params, is_repeatable=True)


def audit(limit: int | None, cursor: str | None) -> Call[Page[models.Event]]:
    """A part of what has happened."""
    params = {"limit": limit, "cursor": cursor}
    read = partial(read_page, "events", models.Event)
    return Call("GET", "/audit", read, params=params, is_repeatable=True)


def subscribe(email: str, captcha_token: str) -> Call[models.Mailed]:
    """Offers the newsletter."""
    body, read = {"email": email, "captcha_token": captcha_token}, _gives(models.Mailed)
    return Call("POST", "/newsletter", read, body=body, with_key=False, recovery=_ASK)


def confirm_newsletter(token: str) -> Call[models.Status]:
    """Takes the newsletter."""
    return _by_link("/newsletter/confirm", token)


def unsubscribe(token: str) -> Call[models.Status]:
    """Ends the newsletter."""
    return _by_link("/newsletter/unsubscribe", token)


def _by_link(path: str, token: str) -> Call[models.Status]:
    params, read = {"token": token}, _gives(models.Status)
    recovery = "if it answers `not_found` now, it is done"
    return Call("POST", path, read, params=params, with_key=False, may_miss=True, recovery=recovery)


def forgot_password(email: str, captcha_token: str) -> Call[models.Mailed]:
    """Sends a code for a new password."""
    body, read = {"email": email, "captcha_token": captcha_token}, _gives(models.Mailed)
    return Call("POST", "/forgot", read, body=body, with_key=False, recovery=_ASK)


def reset_password(email: str, code: str, password: str) -> Call[models.Status]:
    """Sets a new password."""
    body = {"email": email, "code": code, "password": password}
    recovery = "the new password may be set; try to sign in with it"
    read = _gives(models.Status)
    return Call("POST", "/reset", read, body=body, with_key=False, recovery=recovery)


def sign_in(email: str, password: str) -> Call[models.Tokens | models.Challenge]:
    """Exchanges a password for tokens, or for the question for a code."""
    body = {"email": email, "password": password}
    return Call("POST", "/signin", _signed_in, body=body, with_key=False)


def _signed_in(data: object) -> models.Tokens | models.Challenge:
    if isinstance(data, dict) and "challenge" in data:
        return read(models.Challenge, data)
    return read(models.Tokens, data)


def answer_challenge(session: str, code: str) -> Call[models.Tokens]:
    """Exchanges a code of the second factor for tokens."""
    body, read = {"session": session, "code": code}, _gives(models.Tokens)
    recovery = "the code may be used up; sign in again with another one"
    return Call("POST", "/signin/totp", read, body=body, with_key=False, recovery=recovery)


def refresh(refresh_token: str) -> Call[models.Tokens]:
    """Exchanges a refresh token for another access token."""
    body, read = {"refresh_token": refresh_token}, _gives(models.Tokens)
    return Call("POST", "/refresh", read, body=body, with_key=False, is_repeatable=True)


def sign_out() -> Call[models.Status]:
    """Ends all tokens."""
    recovery = "if the tokens are refused now, they have ended"
    return Call("POST", "/signout", _gives(models.Status), recovery=recovery)


def hatch_own(display_name: str) -> Call[models.Hatched]:
    """Hatches a duckling for the person who is signed in."""
    body, read = {"display_name": display_name}, _gives(models.Hatched)
    recovery = "if `me()` finds a duckling now, call `rotate_key()` for a key that you know"
    return Call("POST", "/hatch", read, body=body, recovery=recovery)


_FACTOR = "/me/totp"
_LOOK = "`totp()` shows whether the second factor is on"


def totp() -> Call[models.Totp]:
    """Whether there is a second factor."""
    return Call("GET", _FACTOR, _gives(models.Totp), is_repeatable=True)


def add_totp(password: str) -> Call[models.TotpSecret]:
    """Makes the secret of a second factor."""
    body, read = {"password": password}, _gives(models.TotpSecret)
    return Call("POST", _FACTOR, read, body=body, recovery="call it again for another secret")


def confirm_totp(code: str) -> Call[models.RecoveryCodes]:
    """Switches the second factor on."""
    recovery = f"{_LOOK}; if it is, remove it and add it again for recovery codes that you know"
    read = _gives(models.RecoveryCodes)
    return Call("POST", f"{_FACTOR}/confirm", read, body={"code": code}, recovery=recovery)


def remove_totp(password: str, code: str) -> Call[models.Status]:
    """Switches the second factor off."""
    body, read = {"password": password, "code": code}, _gives(models.Status)
    return Call("DELETE", _FACTOR, read, body=body, may_miss=True, recovery=_LOOK)


def spaceducks(limit: int | None, cursor: str | None) -> Call[Page[models.SpaceDuck]]:
    """A part of all ducklings."""
    params = {"limit": limit, "cursor": cursor}
    read = partial(read_page, "spaceducks", models.SpaceDuck)
    return Call("GET", "/spaceducks", read, params=params, is_repeatable=True)


def tier_requests(limit: int | None, cursor: str | None) -> Call[Page[models.SpaceDuck]]:
    """A part of those that wait for T2."""
    params = {"limit": limit, "cursor": cursor}
    read = partial(read_page, "requests", models.SpaceDuck)
    return Call("GET", "/operator/tier-requests", read, params=params, is_repeatable=True)


def decide(duckling_id: str, decision: str, note: str) -> Call[models.Decided]:
    """Grants or refuses T2."""
    body = {"duckling_id": duckling_id, "decision": decision, "note": note}
    recovery = "`tier_requests()` lists it as long as it is open"
    read = _gives(models.Decided)
    return Call("POST", "/operator/decide", read, body=body, may_miss=True, recovery=recovery)


def suspend(duckling_id: str, reason: str) -> Call[models.Status]:
    """Refuses its key and certificate."""
    return _about(duckling_id, "suspend", reason)


def restore(duckling_id: str, reason: str) -> Call[models.Status]:
    """Accepts them again."""
    return _about(duckling_id, "restore", reason)


def remove(duckling_id: str, reason: str) -> Call[models.Status]:
    """Deletes it."""
    return _about(duckling_id, "remove", reason)


def _about(duckling_id: str, what: str, reason: str) -> Call[models.Status]:
    # Not repeatable: each one is an entry in the audit.
    path, read = f"/operator/ducks/{segment(duckling_id)}/{what}", _gives(models.Status)
    recovery = "`spaceducks()` shows the state that the duckling is in"
    body = {"reason": reason}
    return Call("POST", path, read, body=body, may_miss=True, recovery=recovery)
