"""Every error that a client can provoke, and that each word has a class of its own."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from conftest import CAPTCHA, PASSWORD, ROOT, Clients, Home, a_mail
from relay import Relay, answers, loses

import spaceduck
from spaceduck import _errors

NOBODY = "dkl_" + "0" * 26


def refused(kind: type[spaceduck.ApiError], call: Any, *arguments: Any, **named: Any) -> Any:
    """The error of exactly this class that the call ends with."""
    with pytest.raises(kind) as caught:
        call(*arguments, **named)
    error = caught.value
    assert type(error) is kind
    assert error.error == kind.code
    assert error.request_id
    assert error.request_id in str(error)
    assert str(error).startswith(f"{error.error}: ")
    # Nothing hangs on to it that could show what was sent.
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


def test_hatching_is_refused(clients: Clients, home: Home) -> None:
    galaxy, email = clients.galaxy(home.base), a_mail()
    error = refused(spaceduck.CaptchaFailedError, galaxy.hatch, email, PASSWORD, "A", " ")
    assert (error.status_code, error.field) == (400, "captcha_token")
    error = refused(spaceduck.WeakPasswordError, galaxy.hatch, email, "short", "A", CAPTCHA)
    assert (error.status_code, error.field) == (422, "password")
    error = refused(spaceduck.InvalidRequestError, galaxy.hatch, "no", PASSWORD, "A", CAPTCHA)
    assert (error.status_code, error.field) == (400, "email")
    error = refused(spaceduck.TooLargeError, galaxy.hatch, email, "x" * 20_000, "A", CAPTCHA)
    assert error.status_code == 413


def test_a_code_is_refused(clients: Clients, home: Home) -> None:
    galaxy, email = clients.galaxy(home.base), a_mail()
    galaxy.hatch(email, PASSWORD, "Ada", CAPTCHA)
    code = home.code(email)
    wrong = "000000" if code != "000000" else "000001"
    error = refused(spaceduck.OtpMismatchError, galaxy.verify, email, wrong)
    assert (error.status_code, error.field) == (400, "code")
    for _ in range(4):
        refused(spaceduck.OtpMismatchError, galaxy.verify, email, wrong)
    # Five wrong ones end an attempt, and another one is good for the same code.
    refused(spaceduck.OtpExpiredError, galaxy.verify, email, code)


def test_guesses_without_an_attempt_are_refused_and_not_waited_for(
    clients: Clients, home: Home
) -> None:
    galaxy, email = clients.galaxy(home.base, retries=0), a_mail()
    for _ in range(5):
        refused(spaceduck.OtpMismatchError, galaxy.verify, email, "000000")
    error = refused(spaceduck.RateLimitedError, galaxy.verify, email, "000000")
    assert error.status_code == 429
    assert 0 < error.retry_after <= 3600
    refused(spaceduck.CaptchaFailedError, galaxy.resend, email)


def test_pecks_are_refused(clients: Clients, home: Home) -> None:
    ada, bob, eve = (clients.hatched(home, name) for name in ("Ada", "Bob", "Eve"))
    own, to = ada.me().duckling_id, bob.me().duckling_id
    error = refused(spaceduck.InvalidRequestError, ada.peck, own, "data.read")
    assert error.field == "target_duckling_id"
    assert refused(spaceduck.InvalidRequestError, ada.peck, to, "NO").field == "peck_type"
    assert refused(spaceduck.InvalidRequestError, ada.peck, "dkl_abc123", "data.read").field
    error = refused(spaceduck.TierTooLowError, ada.peck, to, "data.write")
    assert error.status_code == 403
    error = refused(spaceduck.NotFoundError, ada.peck, NOBODY, "data.read")
    assert error.status_code == 404

    peck = ada.peck(to, "data.read", idempotency_key="one").peck_id
    assert ada.peck(to, "data.read", idempotency_key="one").peck_id == peck
    error = refused(spaceduck.AlreadyExistsError, ada.peck, to, "data.read")
    assert error.status_code == 409
    error = refused(spaceduck.ConflictError, ada.peck, to, "chat.message", idempotency_key="one")
    assert error.peck_status is None

    error = refused(spaceduck.ForbiddenError, ada.approve, peck)
    assert error.status_code == 403
    for call in (eve.approve, eve.deny, eve.unpeck, eve.get_peck):
        refused(spaceduck.NotFoundError, call, peck)
    assert refused(spaceduck.ConflictError, bob.unpeck, peck).peck_status == "pending"
    bob.approve(peck)
    for call in (bob.approve, bob.deny):
        error = refused(spaceduck.ConflictError, call, peck)
        assert (error.status_code, error.peck_status) == (409, "approved")
    ada.unpeck(peck)
    assert refused(spaceduck.ConflictError, ada.unpeck, peck).peck_status == "revoked"


def test_a_tier_is_refused(clients: Clients, home: Home) -> None:
    ada = clients.hatched(home)
    refused(spaceduck.TierTooLowError, ada.request_tier, "please")
    refused(spaceduck.InvalidRequestError, ada.rename, "")


def test_things_that_are_not_there(clients: Clients, home: Home) -> None:
    ada = clients.hatched(home)
    for name in ("pck_" + "0" * 26, "nothing", "..", ".", "../me", "%2e%2e", "a/b?c#d", "ü", ""):
        refused(spaceduck.NotFoundError, ada.get_peck, name)
        refused(spaceduck.NotFoundError, ada.get_certificate, name)


def test_a_wrong_key_is_told_apart(clients: Clients, home: Home, other_home: Home) -> None:
    key = home.hatch().beak_key
    misspelt = key[:-1] + ("a" if key[-1] != "a" else "b")
    for wrong in (misspelt, key[:-1], key + "0", "sd_bk_your_key_here"):
        error = refused(spaceduck.UnauthorizedError, clients.duck(wrong, home.base).me)
        assert error.status_code == 401
        assert "misspelt or cut off" in str(error)
        assert wrong not in str(error)
    error = refused(spaceduck.UnauthorizedError, clients.duck(key, other_home.base).me)
    assert "belongs to another galaxy" in str(error)
    assert other_home.base in str(error)


@pytest.mark.parametrize("text", ["", "  ", "password123", "eyJhbGciOi", "sd_bk_ä", "sd_bk_a b"])
def test_what_can_not_be_a_key_is_not_even_sent(clients: Clients, text: str) -> None:
    with pytest.raises(spaceduck.UsageError) as caught:
        clients.duck(text, "http://localhost:1")
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "not the address"),
        ("localhost:3825", "not the address"),
        ("galaxy.example.com/prod", "not the address"),
        ("ftp://localhost", "not the address"),
        ("http://", "not the address"),
        ("http://localhost:99999", "not the address"),
        ("http://localhost:0", "not the address"),
        ("http://[::1", "not the address"),
        ("http://exa mple.com", "not the address"),
        ("https://a..b", "not the address"),
        (f"https://{'a' * 64}.com", "not the address"),
        ("http://localhost:3825/?a=b", "no `?`"),
        ("http://localhost:3825/#a", "no `#`"),
        ("http://ada:secret@localhost:3825", "no user"),
        ("http://galaxy.example.com", "use https"),
        ("http://10.0.0.1:3825", "use https"),
        ("http://localhost.example.com", "use https"),
        ("sd_bk_mixed_up", "this is not the address"),
    ],
)
def test_an_address_that_can_not_be_one(clients: Clients, address: str, says: str) -> None:
    with pytest.raises(spaceduck.UsageError) as caught:
        clients.galaxy(address)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "mixed_up" not in str(caught.value)


def test_plain_http_is_for_this_machine_or_on_demand(clients: Clients) -> None:
    for address in (
        "http://localhost",
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://a.localhost",
    ):
        assert clients.galaxy(address).api_base == address
    far = "http://galaxy.internal:3825"
    assert clients.galaxy(far, allow_plain_http=True).api_base == far


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ü"])
def test_an_idempotency_key_that_can_not_be_one(clients: Clients, home: Home, key: str) -> None:
    duck = clients.duck("sd_bk_x", home.base)
    with pytest.raises(spaceduck.UsageError):
        duck.peck(NOBODY, "data.read", idempotency_key=key)


def test_a_call_that_says_nothing_of_json(relay: Relay, clients: Clients) -> None:
    # This package never leaves it out; something in between may.
    relay.does(loses("content-type"))
    galaxy = clients.galaxy(relay.base)
    error = refused(spaceduck.UnsupportedMediaTypeError, galaxy.resend, a_mail())
    assert error.status_code == 415


def test_a_galaxy_in_trouble(relay: Relay, clients: Clients) -> None:
    galaxy = clients.galaxy(relay.base, retries=0)
    for status, word, kind in (
        (500, "internal", spaceduck.InternalError),
        (503, "unavailable", spaceduck.UnavailableError),
    ):
        body = {"error": word, "message": "It does not work.", "request_id": "r"}
        relay.does(answers(status, body, retry_after="7"))
        error = refused(kind, galaxy.metrics)
        assert str(error) == f"{word}: It does not work. [request r]"
        assert getattr(error, "retry_after", 7.0) == 7.0


def test_each_word_of_the_contract_has_a_class() -> None:
    source = (ROOT / "crates/beak-core/src/error.rs").read_text()
    words = set(re.findall(r'Self::\w+[^=\n]* => "(\w+)",', source))
    assert len(words) == 17
    assert words == set(_errors.BY_CODE)
    for word, kind in _errors.BY_CODE.items():
        assert kind.code == word
        assert issubclass(kind, spaceduck.ApiError)
        assert kind.__name__ in spaceduck.__all__
        assert kind.__doc__


def test_an_error_goes_through_a_pickle() -> None:
    # As between the processes of a pool.
    given = spaceduck.ConflictError(409, {"error": "conflict", "message": "m", "status": "denied"})
    error = pickle.loads(pickle.dumps(given))  # noqa: S301
    assert (str(error), error.peck_status) == (str(given), "denied")
    failed = spaceduck.TimedOutError("late", was_sent=True)
    assert pickle.loads(pickle.dumps(failed)).was_sent  # noqa: S301
    bad = spaceduck.InvalidCertificateError("m", reason="malformed")
    assert pickle.loads(pickle.dumps(bad)).reason == "malformed"  # noqa: S301
    html = spaceduck.NotAGalaxyError("m", status_code=200)
    assert pickle.loads(pickle.dumps(html)).status_code == 200  # noqa: S301
