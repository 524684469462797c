"""Every method of both kinds of client, on a real galaxy."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
import sync
from conftest import CAPTCHA, PASSWORD, Clients, Home, a_mail
from relay import Relay, behind_a_stage

import spaceduck


def test_somebody_without_a_key_hatches(clients: Clients, home: Home) -> None:
    galaxy, email = clients.galaxy(home.base), a_mail()
    laid = galaxy.hatch(email, PASSWORD, "Ada", CAPTCHA)
    assert (laid.status, laid.email, laid["expires_in"]) == ("otp_sent", email, 900)
    # Within a minute of the first code: the same answer and no second mail.
    assert galaxy.resend(email, hatch_id=laid.hatch_id).status == "otp_sent"
    hatched = galaxy.verify(email, home.code(email), hatch_id=laid.hatch_id)
    assert not hatched.password_reset_required
    assert hatched.beak_key.startswith("sd_bk_")
    assert hatched["beak_key"] == hatched.beak_key
    assert hatched.duckling_id.startswith("dkl_")
    assert hatched.trust_tier == "T0"
    me = clients.duck(hatched.beak_key, home.base).me()
    assert (me.duckling_id, me.email, me.display_name) == (hatched.duckling_id, email, "Ada")


def test_the_functions_hatch_too(home: Home) -> None:
    email = a_mail()
    assert spaceduck.hatch(email, PASSWORD, "Ada", CAPTCHA, api_base=home.base).email == email
    resent = spaceduck.resend(email, captcha_token=CAPTCHA, api_base=home.base)
    assert resent.status == "otp_sent"
    code = home.code(email)
    assert spaceduck.verify(email, code, api_base=home.base).trust_tier == "T0"


def test_what_comes_with_the_code_counts(clients: Clients, home: Home) -> None:
    galaxy, email = clients.galaxy(home.base), a_mail()
    galaxy.hatch(email, "a stranger's password", "Stranger", CAPTCHA)
    laid = galaxy.hatch(email, PASSWORD, "Ada", CAPTCHA)
    typed = {"password": PASSWORD, "display_name": "Ada"}
    hatched = galaxy.verify(email, home.code(email), hatch_id=laid.hatch_id, **typed)
    assert not hatched.password_reset_required
    assert clients.duck(hatched.beak_key, home.base).me().display_name == "Ada"
    given = {"email": email, "password": PASSWORD}
    assert home.http.post(f"{home.base}/beak/signin", json=given).status_code == 200


def test_a_contested_address_needs_a_new_password(clients: Clients, home: Home) -> None:
    galaxy, email = clients.galaxy(home.base), a_mail()
    galaxy.hatch(email, "a stranger's password", "Stranger", CAPTCHA)
    laid = galaxy.hatch(email, PASSWORD, "Ada", CAPTCHA)
    hatched = galaxy.verify(email, home.code(email), hatch_id=laid.hatch_id)
    assert hatched.password_reset_required is True
    assert clients.duck(hatched.beak_key, home.base).me().display_name == "Duckling"


def test_what_anybody_may_ask(clients: Clients, home: Home) -> None:
    duck = clients.hatched(home)
    for client in (clients.galaxy(home.base), duck):
        metrics = client.metrics()
        assert metrics["total_ducklings"] == metrics.total_ducklings >= 1
        assert metrics.pecks.pending == metrics["pecks"]["pending"]
        assert abs((datetime.now(timezone.utc) - metrics.as_of).total_seconds()) < 60
        status = client.status()
        assert (status.status, status.galaxy_version) == ("operational", metrics.galaxy_version)
        assert client.jwks()["keys"][0]["crv"] == "Ed25519"
    own = duck.certificate()
    public = clients.galaxy(home.base).get_certificate(own.cert_id)
    assert own.certificate
    assert public.certificate is None
    assert (public.cert_id, public.status) == (own.cert_id, "valid")


def test_two_ducklings_bond_and_part(clients: Clients, home: Home) -> None:
    ada, bob = clients.hatched(home, "Ada"), clients.hatched(home, "Bob")
    to = bob.me().duckling_id
    asked = ada.peck(target_duckling_id=to, peck_type="data.read", message="Hello 🦆")
    assert asked["status"] == "pending"
    assert asked.expires_at > datetime.now(timezone.utc)
    (peck,) = bob.pecks(status="pending")
    assert (peck.peck_id, peck.message) == (asked.peck_id, "Hello 🦆")
    me = ada.me()
    assert (peck.source_duckling_id, peck.settled_at) == (me.duckling_id, None)
    assert peck.source is not None
    assert (peck.source.display_name, peck.source.cert_id) == ("Ada", me.cert_id)
    assert peck.target is not None
    assert (peck.target.duckling_id, peck.target.trust_tier) == (to, "T0")
    assert ada.get_peck(asked.peck_id) == peck
    approved = bob.approve(peck_id=asked.peck_id)
    assert (approved["status"], approved.trust_tier) == ("approved", "T1")
    assert (ada.me().trust_tier, ada.me().bonds) == ("T1", 1)
    (bond,) = ada.pecks("out", "approved")
    assert bond.settled_at is not None
    assert ada.unpeck(asked.peck_id)["status"] == "revoked"
    assert list(ada.pecks("out", "approved")) == []

    denied = ada.peck(to, "chat.message")
    assert bob.deny(denied.peck_id)["status"] == "denied"
    events = [event.event for event in ada.audit()]
    assert events[0] == "peck.denied"
    assert {"duck.hatched", "peck.requested", "peck.approved", "tier.changed"} <= set(events)


def test_a_duckling_looks_at_another_and_blocks_it(clients: Clients, home: Home) -> None:
    ada, bob = clients.hatched(home, "Ada"), clients.hatched(home, "Bob")
    mine, to = ada.me().duckling_id, bob.me().duckling_id
    seen = ada.get_duck(to)
    assert (seen.duckling_id, seen.display_name, seen.trust_tier) == (to, "Bob", "T0")
    assert (seen.cert_id, seen.cert_status, seen.bonds) == (bob.me().cert_id, "valid", 0)
    assert seen.hatched_at <= datetime.now(timezone.utc)
    assert "email" not in seen

    assert bob.block(mine).status == "blocked"
    with pytest.raises(spaceduck.NotFoundError):
        ada.peck(to, "data.read")
    assert bob.unblock(mine).status == "unblocked"
    assert ada.peck(to, "data.read").status == "pending"
    with pytest.raises(spaceduck.NotFoundError):
        ada.get_duck("dkl_none")


def test_a_duckling_looks_after_itself(clients: Clients, home: Home) -> None:
    hatched = home.hatch("Before")
    duck = clients.duck(hatched.beak_key, home.base)
    assert duck.me().liveness == "offline"
    assert duck.me().last_pulse is None
    assert duck.pulse().status == "ok"
    assert duck.me().liveness == "alive"
    assert duck.rename("After").display_name == "After"
    export = duck.export()
    assert export.profile.display_name == "After"
    assert [each.cert_id for each in export.certificates] == [hatched.cert_id]
    assert export.certificates[0].certificate == hatched.certificate
    assert (export.pecks, export.is_cut) == ((), False)
    assert "duck.hatched" in [event.event for event in export.events]
    assert duck.delete().status == "deleted"
    with pytest.raises(spaceduck.UnauthorizedError):
        duck.me()


def test_a_client_goes_on_with_the_key_that_it_was_given(clients: Clients, home: Home) -> None:
    first = home.hatch().beak_key
    duck = clients.duck(first, home.base)
    second = duck.rotate_key().beak_key
    assert second != first
    assert duck.me().key_hint == f"…{second[-4:]}"
    with pytest.raises(spaceduck.UnauthorizedError):
        clients.duck(first, home.base).me()


def test_a_bonded_duckling_asks_for_the_highest_tier(clients: Clients, home: Home) -> None:
    ada, bob = clients.hatched(home), clients.hatched(home)
    bob.approve(ada.peck(bob.me().duckling_id, "data.read").peck_id)
    assert ada.request_tier("I serve the archive.").status == "requested"
    request = ada.me().tier_request
    assert request.statement == "I serve the archive."
    operator = clients.operator(home)
    (asked,) = [each for each in operator.tier_requests() if each.tier_request == request]
    decided = operator.decide(asked.duckling_id, "grant", "welcome")
    assert (decided.duckling_id, decided.trust_tier) == (ada.me().duckling_id, "T2")
    assert ada.me().trust_tier == "T2"
    assert any(event.note == "welcome" for event in ada.audit())


def test_a_list_goes_on_by_itself(clients: Clients, home: Home) -> None:
    ada, bob = clients.hatched(home), clients.hatched(home)
    to = bob.me().duckling_id
    ids = []
    for number in range(7):
        ids.append(ada.peck(to, f"chat.topic_{number}").peck_id)
        # No more than three may wait.
        bob.deny(ids[-1])
    assert [peck.peck_id for peck in bob.pecks(page_size=3)] == ids[::-1]
    assert [peck.peck_id for peck in ada.pecks("out", page_size=1)] == ids[::-1]
    whole = [event.event_id for event in ada.audit()]
    assert [event.event_id for event in ada.audit(page_size=2)] == whole
    assert len(set(whole)) == len(whole) >= 9
    with pytest.raises(spaceduck.InvalidRequestError) as caught:
        list(bob.pecks(page_size=101))
    assert caught.value.field == "limit"


def test_a_list_can_be_taken_in_parts(home: Home) -> None:
    with spaceduck.Duck(home.hatch().beak_key, home.base) as ada:
        to = home.hatch().duckling_id
        ids = [ada.peck(to, f"chat.topic_{number}").peck_id for number in range(3)]
        pages = ada.pecks("out", page_size=2).pages()
        first = next(pages)
        assert [peck.peck_id for peck in first.items] == ids[:0:-1]
        # Answered in between, the rest is still the rest.
        ada.unpeck(ids[2])
        (second,) = ada.pecks("out", page_size=2).pages(first.next_cursor)
        assert [peck.peck_id for peck in second.items] == ids[:1]
        assert second.next_cursor is None


@pytest.mark.parametrize("tail", ["", "/", "//", "/beak", "/beak/", " "])
def test_an_address_may_end_in_several_ways(clients: Clients, home: Home, tail: str) -> None:
    galaxy = clients.galaxy(home.base + tail)
    assert galaxy.api_base == home.base
    assert galaxy.metrics().galaxy_version


def test_a_stage_stays_in_the_address(relay: Relay, clients: Clients, home: Home) -> None:
    key = home.hatch().beak_key
    for tail in ("/prod", "/prod/", "/prod/beak"):
        relay.does(behind_a_stage, behind_a_stage)
        duck = clients.duck(key, relay.base + tail)
        assert duck.me().trust_tier == "T0"
        assert list(duck.pecks()) == []
        relay.does()
        with pytest.raises(spaceduck.NotAGalaxyError):
            # The local galaxy has no stage, and says so with a page.
            clients.galaxy(relay.base + tail).metrics()
        assert relay.seen[0].path == "/prod/beak/metrics"


def test_a_key_may_come_with_the_line_that_it_was_read_with(clients: Clients, home: Home) -> None:
    assert clients.duck(f" {home.hatch().beak_key}\n", home.base).me().trust_tier == "T0"


def test_both_kinds_are_the_same() -> None:
    # `python tests/sync.py` makes them so.
    assert (sync.SOURCE / "_sync.py").read_text() == sync.made()


def test_a_client_is_used_from_many_threads(home: Home) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with spaceduck.Duck(home.hatch().beak_key, home.base) as duck, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: duck.me().duckling_id, range(40)))
    assert len(set(answers)) == 1


def test_a_client_of_asyncio_makes_calls_at_once(home: Home) -> None:
    import asyncio

    async def work() -> set[str]:
        async with spaceduck.AsyncDuck(home.hatch().beak_key, home.base) as duck:
            return {me.duckling_id for me in await asyncio.gather(*(duck.me() for _ in range(20)))}

    assert len(asyncio.run(work())) == 1
