"""Networks that fail, and servers that are not what the client was made for."""

from __future__ import annotations

import email.utils
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import CAPTCHA, PASSWORD, Clients, Home, a_mail
from relay import (
    Mischief,
    Relay,
    answers,
    asks_for,
    changes,
    cuts_the_answer,
    drips,
    drops_the_answer,
    drops_the_call,
    honest,
    says_nothing,
)

import spaceduck

#: No waiting to speak of.
FAST = spaceduck.Retries(first_wait=0.001)
TOO_MANY = {"error": "rate_limited", "message": "Too many.", "request_id": "r"}
DOWN = {"error": "unavailable", "message": "Later.", "request_id": "r"}


@pytest.mark.parametrize("mischief", [drops_the_call, drops_the_answer, cuts_the_answer])
def test_what_is_safe_to_repeat_is_repeated(
    relay: Relay, clients: Clients, home: Home, mischief: Mischief
) -> None:
    duck = clients.duck(home.hatch().beak_key, relay.base, retries=FAST)
    to = home.hatch().duckling_id
    for call in (duck.me, duck.metrics, duck.pulse, lambda: duck.rename("Ada"), duck.export):
        relay.does(mischief)
        call()
        assert len(relay.seen) == 2
    whole = list(duck.audit())
    relay.does(mischief, honest)
    assert list(duck.audit()) == whole

    # Asked twice, and yet it is one peck: the galaxy knows the repeat by its key.
    relay.does(mischief)
    duck.peck(to, "data.read", "Hello")
    first, second = relay.seen
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(list(duck.pecks("out"))) == 1
    # Each peck has a key of its own.
    relay.does()
    with pytest.raises(spaceduck.AlreadyExistsError):
        duck.peck(to, "data.read", "Hello")
    assert relay.seen[0].headers["idempotency-key"] != first.headers["idempotency-key"]


def test_what_is_not_safe_to_repeat_is_not(relay: Relay, clients: Clients, home: Home) -> None:
    hatched = home.hatch()
    duck = clients.duck(hatched.beak_key, relay.base, retries=FAST)
    other = clients.duck(home.hatch().beak_key, home.base)
    peck = other.peck(hatched.duckling_id, "data.read").peck_id
    address = a_mail()
    calls: list[tuple[Any, str]] = [
        (lambda: duck.approve(peck), "get_peck"),
        (lambda: duck.unpeck(peck), "get_peck"),
        (lambda: duck.deny(peck), "get_peck"),
        (lambda: duck.request_tier("please"), "tier_request"),
        (lambda: duck.hatch(address, PASSWORD, "A", CAPTCHA), "resend"),
        (lambda: duck.resend(address), "may have been done"),
        (lambda: duck.verify(address, "000000"), "sign in"),
        (lambda: duck.rotate_key(), "sign in"),
        (lambda: clients.hatched(home) and duck.delete(), "is deleted"),
    ]
    for call, cure in calls:
        relay.does(drops_the_answer)
        with pytest.raises(spaceduck.ConnectionFailedError) as caught:
            call()
        assert caught.value.was_sent
        assert cure in str(caught.value)
        assert len(relay.seen) == 1, call
    # The first of them was done all the same, and the cure finds that out.
    assert other.get_peck(peck).status == "revoked"


def test_a_galaxy_that_is_not_there(clients: Clients) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        galaxy = clients.galaxy(base, retries=FAST)
        # Nothing was sent, so even these are tried again; and nobody is left in doubt.
        with pytest.raises(spaceduck.ConnectionFailedError) as caught:
            galaxy.verify(a_mail(), "000000")
    assert not caught.value.was_sent
    assert base in str(caught.value)
    assert "is the galaxy running?" in str(caught.value)
    assert caught.value.__context__ is None


def test_a_name_that_nobody_has(clients: Clients) -> None:
    galaxy = clients.galaxy("https://galaxy.invalid", retries=0, timeout=5)
    with pytest.raises(spaceduck.ConnectionFailedError) as caught:
        galaxy.metrics()
    assert "is this the right address" in str(caught.value)


@pytest.mark.parametrize("mischief", [says_nothing, drips])
def test_a_slow_answer_is_not_waited_for(
    relay: Relay, clients: Clients, mischief: Mischief
) -> None:
    galaxy = clients.galaxy(relay.base, timeout=0.3, retries=0)
    relay.does(mischief)
    began = time.monotonic()
    with pytest.raises(spaceduck.TimedOutError) as caught:
        galaxy.metrics()
    assert time.monotonic() - began > 0.25
    assert "within 0.3 seconds" in str(caught.value)
    assert caught.value.was_sent
    # One slow answer is no reason to give up what may be asked again.
    relay.does(mischief)
    often = spaceduck.Retries(count=9, first_wait=0.001)
    patient = clients.galaxy(relay.base, timeout=1, retries=often)
    assert patient.metrics().galaxy_version


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What the clients waited, which they are not made to do here."""
    import asyncio

    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(asyncio, "sleep", wait)
    yield waited
    monkeypatch.undo()


@pytest.mark.usefixtures("waits")
def test_too_many_calls_wait_as_long_as_they_are_told(
    relay: Relay, clients: Clients, home: Home, waits: list[float]
) -> None:
    duck = clients.duck(home.hatch().beak_key, relay.base)
    relay.does(answers(429, TOO_MANY, retry_after="7"))
    assert duck.me().trust_tier == "T0"
    assert waits == [7]
    waits.clear()
    # Refused is not done, so it holds for what is else never repeated.
    relay.does(answers(429, TOO_MANY, retry_after="11"))
    duck.rotate_key()
    assert waits == [11]
    waits.clear()
    # A date, and a gateway that has other words and says nothing of how long.
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    relay.does(answers(429, TOO_MANY, retry_after=date), answers(429, {"message": "Too Many"}))
    duck.me()
    assert 27 < waits[0] <= 30
    assert 0 < waits[1] <= 1
    waits.clear()
    for nonsense in ("soon", "-1", "1e9", "٣"):
        body = answers(429, TOO_MANY, retry_after=nonsense) if nonsense.isascii() else honest
        relay.does(body)
        duck.me()
    assert all(0 < wait < 1 for wait in waits)


def test_no_wait_is_longer_than_allowed(relay: Relay, clients: Clients, waits: list[float]) -> None:
    galaxy = clients.galaxy(relay.base)
    relay.does(answers(429, TOO_MANY, retry_after="3600"))
    with pytest.raises(spaceduck.RateLimitedError) as caught:
        galaxy.metrics()
    assert caught.value.retry_after == 3600
    assert (waits, len(relay.seen)) == ([], 1)
    galaxy = clients.galaxy(relay.base, retries=spaceduck.Retries(longest_wait=5))
    relay.does(answers(429, TOO_MANY, retry_after="6"))
    with pytest.raises(spaceduck.RateLimitedError):
        galaxy.metrics()
    assert waits == []


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Fri, 99999999999999999999 Dec 2027 00:00:00 GMT",
        "Fri, 31 Dec 2027 99999999999999999999:00:00 GMT",
        "Fri, 31 Dec 2027 23:59:59 -99999999999999999999",
    ],
)
def test_a_date_that_no_calendar_has(
    relay: Relay, clients: Clients, waits: list[float], date: str
) -> None:
    galaxy = clients.galaxy(relay.base)
    for status, body in ((429, TOO_MANY), (503, DOWN)):
        relay.does(answers(status, body, retry_after=date))
        assert galaxy.metrics().galaxy_version
    assert all(0 < wait < 1 for wait in waits)


@pytest.mark.parametrize("wanted", ["9" * 400, "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_that_no_clock_can_hold(
    relay: Relay, clients: Clients, waits: list[float], wanted: str
) -> None:
    year = 365 * 24 * 3600
    relay.does(answers(429, TOO_MANY, retry_after=wanted))
    with pytest.raises(spaceduck.RateLimitedError) as caught:
        clients.galaxy(relay.base).metrics()
    assert caught.value.retry_after == year
    patient = spaceduck.Retries(longest_wait=float("inf"))
    relay.does(answers(429, TOO_MANY, retry_after=wanted))
    assert clients.galaxy(relay.base, retries=patient).metrics().galaxy_version
    assert waits == [year]


def test_backoff_grows_to_the_longest_wait_and_no_further(
    relay: Relay, clients: Clients, waits: list[float]
) -> None:
    retries = spaceduck.Retries(count=30, longest_wait=4)
    relay.does(*[answers(503, DOWN)] * 30)
    assert clients.galaxy(relay.base, retries=retries).metrics().galaxy_version
    assert len(waits) == 30
    assert all(2 <= wait <= 4 for wait in waits[3:])


def test_backoff_goes_on_for_as_long_as_it_may() -> None:
    from spaceduck._calls import metrics

    down = spaceduck.ConnectionFailedError("down", was_sent=False)
    for longest in (60.0, float("inf")):
        retries = spaceduck.Retries(count=10_000, longest_wait=longest)
        for made in (7, 8, 60, 1024, 1025, 10_000):
            wait = retries.wait(metrics(), down, made)
            assert wait is not None
            assert 0 < wait <= min(longest, 365 * 24 * 3600)
        assert retries.wait(metrics(), down, 10_001) is None


def test_no_call_is_made_more_often_than_allowed(
    relay: Relay, clients: Clients, waits: list[float]
) -> None:
    galaxy = clients.galaxy(relay.base, retries=3)
    relay.does(*[answers(503, DOWN)] * 9)
    with pytest.raises(spaceduck.UnavailableError):
        galaxy.metrics()
    assert len(relay.seen) == 4
    # Longer each time.
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1 <= waits[2] <= 2


def test_a_galaxy_that_can_not_at_the_moment(
    relay: Relay, clients: Clients, home: Home, waits: list[float]
) -> None:
    duck = clients.duck(home.hatch().beak_key, relay.base)
    # API Gateway's 500 is a function that had no place to run, for example.
    gateways = ((500, {"message": "Internal Server Error"}), (504, {"message": "x"}))
    for status, body in ((503, DOWN), (502, "<html>Bad gateway</html>"), *gateways):
        relay.does(answers(status, body, retry_after="2"))
        assert duck.me().trust_tier == "T0"
        relay.does(answers(status, body))
        with pytest.raises(spaceduck.UnavailableError):
            duck.rotate_key()
    assert waits == [2, 2, 2, 2]
    # A bug over there is the same bug a second later.
    relay.does(answers(500, {"error": "internal", "message": "Something failed."}))
    with pytest.raises(spaceduck.InternalError):
        duck.me()
    assert len(relay.seen) == 1


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (403, "Forbidden", spaceduck.ForbiddenError),
        (429, "Too Many Requests", spaceduck.RateLimitedError),
        (500, "Internal Server Error", spaceduck.UnavailableError),
        (502, "Bad Gateway", spaceduck.UnavailableError),
        (503, "Service Unavailable", spaceduck.UnavailableError),
        (504, "Gateway Timeout", spaceduck.UnavailableError),
    ],
)
def test_what_api_gateway_says_itself_is_said_in_our_words(
    relay: Relay, clients: Clients, status: int, said: str, kind: type[spaceduck.ApiError]
) -> None:
    galaxy = clients.galaxy(relay.base, retries=0)
    relay.does(answers(status, {"message": said}))
    with pytest.raises(kind) as caught:
        galaxy.metrics()
    assert (caught.value.status_code, caught.value.error) == (status, kind.code)
    assert "galaxy" in caught.value.message
    assert said not in str(caught.value)
    # What is no such refusal is still no galaxy: its address lacks the stage, for example.
    relay.does(answers(404, {"message": "Not Found"}))
    with pytest.raises(spaceduck.NotAGalaxyError):
        galaxy.metrics()


def test_a_real_limit_is_obeyed(clients: Clients, other_home: Home) -> None:
    # This one counts: 120 a minute, and then it says for how long.
    galaxy = clients.galaxy(other_home.base, retries=0)
    error: spaceduck.RateLimitedError | None = None
    for _ in range(241):
        try:
            galaxy.metrics()
        except spaceduck.RateLimitedError as caught:
            error = caught
            break
    assert error is not None
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 60


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_web_page_instead_of_an_api(relay: Relay, clients: Clients, status: int) -> None:
    galaxy = clients.galaxy(relay.base)
    relay.does(answers(status, "<!doctype html><title>Welcome</title>"))
    with pytest.raises(spaceduck.NotAGalaxyError) as caught:
        galaxy.metrics()
    assert caught.value.status_code == status
    assert f"answered {status} with text/html" in str(caught.value)
    assert "Welcome" not in str(caught.value)
    assert len(relay.seen) == 1


def test_the_address_of_a_site_instead_of_the_api(
    relay: Relay, clients: Clients, home: Home
) -> None:
    for wrong in (f"{home.base}/prod", f"{home.base}/outbox", relay.base):
        # Not every machine knows the names of the sites, so the relay asks for one.
        relay.does(asks_for("duckgalaxy.localhost"))
        with pytest.raises(spaceduck.NotAGalaxyError) as caught:
            clients.galaxy(wrong).metrics()
        assert wrong in str(caught.value)
        # A site's page of this name is a redirection within the site, which leads to no galaxy.
        assert "write the address that `spaceduck status`" in str(caught.value)


def test_the_key_goes_nowhere_else(relay: Relay, clients: Clients, home: Home) -> None:
    duck = clients.duck(home.hatch().beak_key, home.base)
    elsewhere = Relay(home.base)
    try:
        lost = clients.duck(home.hatch().beak_key, relay.base)
        relay.does(answers(307, "moved", location=f"{elsewhere.base}/beak/me"))
        with pytest.raises(spaceduck.NotAGalaxyError, match="a redirection"):
            lost.me()
        assert elsewhere.seen == []
    finally:
        elsewhere.stop()
    # Nor to calls that have no use for it.
    careful = clients.duck(home.hatch().beak_key, relay.base)
    relay.does()
    for call in (careful.metrics, careful.status, careful.jwks):
        call()
    careful.check_certificate(duck.certificate().certificate)
    assert len(relay.seen) == 4
    assert not any("authorization" in seen.headers for seen in relay.seen)


def test_the_key_goes_through_no_proxy_to_this_machine(
    relay: Relay, clients: Clients, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    duck = clients.hatched(home)
    key = home.hatch().beak_key
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, relay.base)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    relay.does(answers(200, "<html>"))
    assert duck.me().trust_tier == "T0"
    assert clients.duck(key, home.base).me().trust_tier == "T0"
    assert relay.seen == []
    # Anywhere else it is how one gets out.
    away = clients.galaxy("http://galaxy.internal", allow_plain_http=True)
    with pytest.raises(spaceduck.NotAGalaxyError):
        away.metrics()
    assert relay.seen[0].path == "http://galaxy.internal/beak/metrics"


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"duck"', b"{}", b'{"a": 1}', b"\xff\xfe", b"[" * 100_000, b"{"],
)
def test_an_answer_that_is_not_the_beaks(relay: Relay, clients: Clients, body: bytes) -> None:
    galaxy = clients.galaxy(relay.base)
    for call in (galaxy.metrics, galaxy.jwks):
        relay.does(answers(200, body))
        with pytest.raises((spaceduck.NotAGalaxyError, spaceduck.UnexpectedAnswerError)):
            call()
        assert len(relay.seen) == 1
    duck = clients.duck("sd_bk_x", relay.base)
    relay.does(answers(200, body))
    with pytest.raises((spaceduck.NotAGalaxyError, spaceduck.UnexpectedAnswerError)):
        list(duck.pecks())


def test_an_answer_that_can_not_be_unpacked(relay: Relay, clients: Clients) -> None:
    relay.does(answers(200, b"no gzip", content_encoding="gzip"))
    with pytest.raises(spaceduck.UnexpectedAnswerError):
        clients.galaxy(relay.base).metrics()


def test_an_answer_without_end(
    relay: Relay, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spaceduck import _call

    monkeypatch.setattr(_call, "LARGEST_ANSWER", 1000)
    relay.does(answers(200, b" " * 5000))
    with pytest.raises(spaceduck.UnexpectedAnswerError, match="larger"):
        clients.galaxy(relay.base).metrics()


def test_a_field_of_another_type(relay: Relay, clients: Clients) -> None:
    galaxy = clients.galaxy(relay.base)
    for field, value in (
        ("total_ducklings", "7"),
        ("total_ducklings", True),
        ("total_ducklings", None),
        ("as_of", "yesterday"),
        ("as_of", "2026-13-01T00:00:00Z"),
        ("as_of", 7),
        ("pecks", []),
        ("galaxy_version", {}),
    ):
        relay.does(changes(lambda data, f=field, v=value: data.update({f: v})))  # type: ignore[misc]
        with pytest.raises(spaceduck.UnexpectedAnswerError, match=f"`{field}`"):
            galaxy.metrics()


def test_a_newer_galaxy(relay: Relay, clients: Clients, home: Home) -> None:
    hatched = home.hatch()
    duck = clients.duck(hatched.beak_key, relay.base)
    relay.does(changes(lambda data: data.update(items=1, tomorrow={"a": [1]}, trust_tier="T3")))
    me = duck.me()
    assert me.trust_tier == me["trust_tier"] == "T3"
    assert me["tomorrow"] == {"a": [1]}
    assert me["items"] == 1
    assert ("trust_tier", "T3") in me.items()
    assert "tomorrow" in repr(me)
    # A new word in a list, and new fields in it.
    clients.hatched(home).peck(hatched.duckling_id, "data.read")
    relay.does(changes(lambda data: data["pecks"][0].update(status="paused", weight=2)))
    (peck,) = duck.pecks()
    assert (peck.status, peck["weight"]) == ("paused", 2)
    # A new error.
    body = {"error": "payment_required", "message": "Pay.", "request_id": "r", "price": 3}
    relay.does(answers(402, body))
    with pytest.raises(spaceduck.ApiError) as caught:
        duck.me()
    assert type(caught.value) is spaceduck.ApiError
    assert (caught.value.error, caught.value.status_code) == ("payment_required", 402)
    assert caught.value.body["price"] == 3
    relay.does(answers(429, {**body, "error": "quota_used_up"}, retry_after="90"))
    with pytest.raises(spaceduck.RateLimitedError) as limited:
        duck.me()
    assert (limited.value.error, limited.value.retry_after) == ("quota_used_up", 90)


def test_an_older_galaxy(relay: Relay, clients: Clients, home: Home) -> None:
    duck = clients.duck(home.hatch().beak_key, relay.base)
    relay.does(changes(lambda data: [data.pop(name) for name in ("eggs", "pecks", "as_of")]))
    metrics = duck.metrics()
    assert metrics.total_ducklings >= 1
    assert "eggs" not in metrics
    assert metrics.get("eggs") is None
    with pytest.raises(spaceduck.MissingFieldError, match="no `eggs`: this galaxy is older"):
        _ = metrics.eggs
    assert not hasattr(metrics, "eggs")
    # What may be missing anyway is simply not there.
    relay.does(changes(lambda data: [data.pop(name) for name in ("tier_request", "last_pulse")]))
    assert duck.me().tier_request is None
    # A call that it does not have.
    relay.does(answers(404, {"error": "not_found", "message": "no such call", "request_id": "r"}))
    with pytest.raises(spaceduck.NotSupportedError) as caught:
        duck.export()
    assert "no `GET /beak/me/export`: it is older" in str(caught.value)
    body = {"error": "method_not_allowed", "message": "other methods", "request_id": "r"}
    relay.does(answers(405, body))
    with pytest.raises(spaceduck.NotSupportedError) as lacking:
        duck.unblock("dkl_1")
    assert type(lacking.value) is spaceduck.MethodNotAllowedError
    assert "no `DELETE /beak/me/blocks/dkl_1`: it is older" in str(lacking.value)
    # Of a thing that is named, `not_found` is about the thing.
    with pytest.raises(spaceduck.NotFoundError) as missed:
        duck.get_peck("pck_1")
    assert type(missed.value) is spaceduck.NotFoundError


def test_a_list_that_goes_in_a_circle(relay: Relay, clients: Clients) -> None:
    duck = clients.duck("sd_bk_x", relay.base)
    page = answers(200, {"pecks": [], "next_cursor": "again"})
    relay.does(page, page, page)
    with pytest.raises(spaceduck.UnexpectedAnswerError, match="would not end"):
        list(duck.pecks())
    assert len(relay.seen) == 2


def test_a_stage_that_was_left_out(clients: Clients) -> None:
    # What API Gateway says, judged without asking it.
    from spaceduck._call import Answer, outcome
    from spaceduck._calls import metrics

    base = "https://abc123.execute-api.us-east-1.amazonaws.com"
    answer = Answer(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
    with pytest.raises(spaceduck.NotAGalaxyError, match="ends with its stage, `/prod`"):
        outcome(metrics(), answer, base, None)
    with pytest.raises(spaceduck.NotAGalaxyError, match="spaceduck status"):
        outcome(metrics(), answer, f"{base}/prod", None)
