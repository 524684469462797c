"""Hatching in one line each, for those who make no client."""

from __future__ import annotations

from . import _models
from ._sync import Galaxy


def hatch(
    email: str, password: str, display_name: str, captcha_token: str, *, api_base: str
) -> _models.EggLaid:
    """Asks for a new duckling. A code goes to the address; `verify` takes it."""
    with Galaxy(api_base) as galaxy:
        return galaxy.hatch(email, password, display_name, captcha_token)


def verify(
    email: str,
    code: str,
    *,
    api_base: str,
    hatch_id: str | None = None,
    password: str | None = None,
    display_name: str | None = None,
) -> _models.Hatched:
    """Exchanges the code for a duckling, its Beak Key and its certificate."""
    given = {"hatch_id": hatch_id, "password": password, "display_name": display_name}
    with Galaxy(api_base) as galaxy:
        return galaxy.verify(email, code, **given)


def resend(
    email: str,
    *,
    api_base: str,
    hatch_id: str | None = None,
    captcha_token: str | None = None,
) -> _models.Mailed:
    """Sends another code; one a minute and four an hour."""
    with Galaxy(api_base) as galaxy:
        return galaxy.resend(email, hatch_id=hatch_id, captcha_token=captcha_token)
