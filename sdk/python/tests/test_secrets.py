"""A Beak Key is seen by whoever it was given to, and by nobody else."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
import traceback
from typing import Any

import pytest
from conftest import CAPTCHA, PASSWORD, Clients, Home, a_mail
from relay import Relay, answers, drops_the_answer, says_nothing

import spaceduck


def told(call: Any) -> str:
    """All that a careful logger writes of an error: what hangs on it, and every variable."""
    with pytest.raises(spaceduck.SpaceDuckError) as caught:
        call()
    error = caught.value
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(trace.format()) + repr(error)


def test_no_client_shows_its_key(clients: Clients, home: Home) -> None:
    key = home.hatch().beak_key
    duck = clients.duck(key, home.base)
    inner = duck if clients.kind == "sync" else duck._client
    for text in (repr(duck), str(duck), repr(vars(inner)), repr(vars(inner._settings))):
        assert key not in text
    assert repr(duck).endswith(f"Duck(api_base={home.base!r})")
    for copied in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(inner._settings.key)


def test_no_answer_shows_a_secret(clients: Clients, home: Home) -> None:
    hatched = home.hatch("Ada")
    duck = clients.duck(hatched.beak_key, home.base)
    own, export = duck.certificate(), duck.export()
    rotated = duck.rotate_key()
    secrets = [hatched.beak_key, rotated.beak_key, hatched.certificate]
    for answer in (hatched, rotated, own, export):
        for text in (repr(answer), str(answer), f"{answer}"):
            assert not any(secret in text for secret in secrets)
    assert "beak_key=…" in repr(hatched)
    assert "display_name='Ada'" in repr(export)


def test_no_log_shows_a_secret(
    clients: Clients, home: Home, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    galaxy, email = clients.galaxy(home.base), a_mail()
    galaxy.hatch(email, PASSWORD, "Ada", CAPTCHA)
    hatched = galaxy.verify(email, home.code(email))
    duck = clients.duck(hatched.beak_key, relay.base, retries=spaceduck.Retries(first_wait=0.01))
    relay.does(answers(429, {"message": "Too Many"}), drops_the_answer)
    duck.me()
    rotated = duck.rotate_key()
    duck.certificate()
    with pytest.raises(spaceduck.NotFoundError):
        duck.get_peck("pck_1")
    shown = "".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "GET /me again in" in shown
    assert "httpcore" in shown
    for secret in (hatched.beak_key, rotated.beak_key, hatched.certificate, PASSWORD):
        assert secret not in shown


def test_no_error_shows_a_secret(clients: Clients, home: Home, relay: Relay) -> None:
    key = home.hatch().beak_key
    duck = clients.duck(key, relay.base, retries=0, timeout=0.3)

    def fails(call: Any, *mischiefs: Any) -> None:
        relay.does(*mischiefs)
        text = told(call)
        assert "call = Call(" in text
        assert key not in text

    fails(duck.me, drops_the_answer)
    fails(duck.me, says_nothing)
    fails(duck.me, answers(200, "<html>"))
    fails(duck.me, answers(200, b"x", content_encoding="gzip"))
    fails(duck.me, answers(401, {"error": "unauthorized", "message": "No.", "request_id": "r"}))
    fails(duck.me, answers(200, {"duckling_id": 7}))
    fails(lambda: duck.get_peck("pck_1"))
    # An answer that ought to carry a key, and carries it in the wrong place.
    fails(duck.rotate_key, answers(200, {"key": key}))
    fails(duck.rotate_key, answers(200, {"beak_key": [key]}))


def test_a_misspelt_key_is_not_told_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(spaceduck.UsageError) as caught:
        spaceduck.Duck("Sd_bk_almost_a_key", "http://localhost:1")
    assert "almost" not in str(caught.value)
    traceback.print_exception(caught.value, file=sys.stderr)
    assert "almost" not in capsys.readouterr().err.replace('Duck("Sd_bk_almost_a_key"', "")
