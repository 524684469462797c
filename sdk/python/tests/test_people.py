"""What people do with a password, and what operators do, on a real galaxy."""

from __future__ import annotations

import re

import pytest
from conftest import CAPTCHA, PASSWORD, Clients, Home, a_mail, totp
from relay import Relay, answers

import spaceduck

ANOTHER = "another sentence for ducks"


def hatched(home: Home) -> tuple[spaceduck.Hatched, str]:
    """A duckling and its owner's address; the password is `PASSWORD`."""
    email = a_mail()
    spaceduck.hatch(email, PASSWORD, "Ada", CAPTCHA, api_base=home.base)
    hatched = spaceduck.verify(
        email, home.code(email), api_base=home.base, password=PASSWORD, display_name="Ada"
    )
    return hatched, email


def test_a_person_looks_after_a_duckling(clients: Clients, home: Home) -> None:
    duck, email = hatched(home)
    person = clients.person(home.base, email, PASSWORD)
    assert (person.me().duckling_id, person.me().email) == (duck.duckling_id, email)
    assert person.rename("Countess").display_name == "Countess"
    assert person.export().profile.display_name == "Countess"
    key = person.rotate_key().beak_key
    assert clients.duck(key, home.base).me().display_name == "Countess"
    # The person's own calls go on with the token.
    assert person.me().key_hint == f"…{key[-4:]}"
    assert person.delete().status == "deleted"
    with pytest.raises(spaceduck.UnauthorizedError):
        person.me()


def test_a_wrong_password_is_refused(clients: Clients, home: Home) -> None:
    _, email = hatched(home)
    with pytest.raises(spaceduck.UnauthorizedError) as caught:
        clients.person(home.base, email, ANOTHER)
    # Not the words for a Beak Key.
    assert caught.value.message == "the email address or the password is wrong"
    assert clients.person(home.base, email, PASSWORD).me().email == email


def test_a_forgotten_password_is_replaced(clients: Clients, home: Home) -> None:
    _, email = hatched(home)
    person, galaxy = clients.person(home.base, email, PASSWORD), clients.galaxy(home.base)
    assert galaxy.forgot_password(email, CAPTCHA).status == "otp_sent"
    code = home.code(email, mails=2)
    assert galaxy.reset_password(email, code, ANOTHER).status == "password_changed"
    with pytest.raises(spaceduck.UnauthorizedError):
        person.me()
    assert clients.person(home.base, email, ANOTHER).me().email == email


def test_a_sign_in_can_be_kept_and_ended(clients: Clients, home: Home) -> None:
    _, email = hatched(home)
    person = clients.person(home.base, email, PASSWORD)
    tokens = person.tokens
    assert (tokens.token_type, tokens["token_type"]) == ("Bearer", "Bearer")
    assert tokens.access_token not in repr(tokens)
    again = spaceduck.Person(spaceduck.Tokens(dict(tokens)), home.base)
    with again:
        assert again.me().email == email
    assert person.sign_out().status == "signed_out"
    with pytest.raises(spaceduck.UnauthorizedError):
        person.me()


def test_an_expired_token_is_renewed(clients: Clients, home: Home, relay: Relay) -> None:
    _, email = hatched(home)
    person = clients.person(
        relay.base,
        email,
        PASSWORD,
    )
    before = person.tokens
    body = {"error": "unauthorized", "message": "The token has expired.", "request_id": "r"}
    relay.does(answers(401, body))
    assert person.me().email == email
    assert [call.path for call in relay.seen] == ["/beak/me", "/beak/refresh", "/beak/me"]
    after = person.tokens
    assert after.access_token != before.access_token
    assert after.refresh_token == before.refresh_token
    relay.does(answers(401, body), answers(401, body))
    with pytest.raises(spaceduck.UnauthorizedError) as caught:
        person.me()
    assert caught.value.__context__ is None
    assert after.access_token not in str(caught.value)


def test_a_person_without_a_duckling_hatches_one(clients: Clients, home: Home) -> None:
    # One for each kind of client: an operator hatches once.
    operator = clients.operator(home)
    try:
        hatched = operator.hatch_own("Chief")
    except spaceduck.AlreadyExistsError:
        assert operator.me().display_name == "Chief"
    else:
        assert operator.me().duckling_id == hatched.duckling_id


def test_an_operator_sees_more(clients: Clients, home: Home) -> None:
    duck, email = hatched(home)
    operator, person = clients.operator(home), clients.person(home.base, email, PASSWORD)
    inside = operator.status()
    assert inside.mail.sender is inside["mail"]["sender"]
    assert inside.fleet.is_whole
    assert all(table.active for table in inside.tables)
    assert inside.alarms == ()
    assert person.status().mail is None
    ids = [each.duckling_id for each in operator.spaceducks(page_size=2)]
    assert duck.duckling_id in ids
    assert len(set(ids)) == len(ids) >= 2
    assert duck.duckling_id in {event.duckling_id for event in operator.audit()}
    for call in (person.spaceducks, person.tier_requests, person.audit):
        with pytest.raises(spaceduck.ForbiddenError):
            list(call())


def test_an_operator_suspends_restores_and_removes(clients: Clients, home: Home) -> None:
    duck, _ = hatched(home)
    operator, agent = clients.operator(home), clients.duck(duck.beak_key, home.base)
    assert operator.suspend(duck.duckling_id, "Too loud.").status == "suspended"
    with pytest.raises(spaceduck.SpaceDuckError):
        agent.me()
    assert operator.restore(duck.duckling_id, "Quiet again.").status == "restored"
    assert [event.note for event in agent.audit() if event.note] == ["Quiet again.", "Too loud."]
    assert operator.remove(duck.duckling_id, "Asked for it.").status == "removed"
    with pytest.raises(spaceduck.UnauthorizedError):
        agent.me()
    with pytest.raises(spaceduck.NotFoundError):
        operator.suspend(duck.duckling_id, "Gone already.")
    with pytest.raises(spaceduck.InvalidRequestError) as caught:
        operator.suspend(duck.duckling_id, " ")
    assert caught.value.field == "reason"


def test_a_reader_takes_and_ends_the_newsletter(clients: Clients, home: Home) -> None:
    galaxy, email = clients.galaxy(home.base), a_mail()
    assert galaxy.subscribe(email, CAPTCHA).status == "confirmation_sent"
    outbox = home.http.get(f"{home.base}/outbox.json").json()
    (mail,) = [each["text"] for each in outbox if each["to"] == email]
    token = re.search(r"confirm\?token=([\w-]+)", mail)
    assert token
    assert galaxy.confirm_newsletter(token[1]).status == "subscribed"
    with pytest.raises(spaceduck.NotFoundError):
        galaxy.unsubscribe("0" * len(token[1]))


def test_the_document_of_the_api(clients: Clients, home: Home) -> None:
    document = clients.galaxy(home.base).openapi()
    assert document["servers"][0]["url"].startswith(home.base)


def test_a_second_factor_is_added_used_and_removed(clients: Clients, home: Home) -> None:
    _, email = hatched(home)
    person = clients.person(home.base, email, PASSWORD)
    assert (person.totp().enabled, person.totp().enrolled_at) == (False, None)
    with pytest.raises(spaceduck.UnauthorizedError):
        person.add_totp(ANOTHER)
    secret = person.add_totp(PASSWORD)
    assert secret.otpauth_uri.startswith("otpauth://totp/")
    assert secret.secret in secret["otpauth_uri"]
    with pytest.raises(spaceduck.OtpMismatchError):
        person.confirm_totp(totp(secret.secret, steps=7))
    codes = person.confirm_totp(totp(secret.secret)).recovery_codes
    assert len(set(codes)) == 10
    # That has ended all sign-ins.
    with pytest.raises(spaceduck.UnauthorizedError):
        person.me()

    with pytest.raises(spaceduck.SecondFactorRequiredError) as caught:
        clients.person(home.base, email, PASSWORD)
    challenge = caught.value.challenge
    assert (challenge.challenge, challenge["expires_in"]) == ("totp", 300)
    galaxy = clients.galaxy(home.base)
    with pytest.raises(spaceduck.OtpMismatchError):
        galaxy.answer_challenge(challenge, totp(secret.secret, steps=7))
    person = clients.keep(galaxy.answer_challenge(challenge, codes[0]))
    assert person.totp().enabled
    assert person.totp().recovery_codes_left == 9
    asked = []

    def ask() -> str:
        asked.append(1)
        return totp(secret.secret, steps=1)

    person = clients.person(home.base, email, PASSWORD, code=ask)
    assert asked == [1]
    with pytest.raises(spaceduck.AlreadyExistsError):
        person.add_totp(PASSWORD)
    assert person.remove_totp(PASSWORD, codes[1].upper()).status == "removed"
    person = clients.person(home.base, email, PASSWORD, code=ask)
    assert asked == [1]
    assert not person.totp().enabled


def test_no_secret_of_a_factor_shows(clients: Clients, home: Home) -> None:
    _, email = hatched(home)
    person = clients.person(home.base, email, PASSWORD)
    secret = person.add_totp(PASSWORD)
    codes = person.confirm_totp(totp(secret.secret))
    with pytest.raises(spaceduck.SecondFactorRequiredError) as caught:
        clients.person(home.base, email, PASSWORD)
    session = caught.value.challenge.session
    shown = f"{secret}{codes}{caught.value}{caught.value.challenge}{vars(caught.value)}"
    for hidden in (secret.secret, *codes.recovery_codes, session):
        assert hidden not in shown


def test_a_wrong_password_is_tried_once(clients: Clients, home: Home, relay: Relay) -> None:
    _, email = hatched(home)
    person = clients.person(relay.base, email, PASSWORD)
    relay.does()
    with pytest.raises(spaceduck.UnauthorizedError):
        person.add_totp(ANOTHER)
    assert [(call.method, call.path) for call in relay.seen] == [
        ("GET", "/beak/me/totp"),
        ("POST", "/beak/me/totp"),
    ]
