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
