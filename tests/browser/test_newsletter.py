"""Asking for the newsletter: the same words for every address, and a mail that confirms."""

import re
import urllib.request

from accessibility import barriers
from playwright.sync_api import expect

PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}


def ask(page, email):
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Ask for the newsletter").click()
    expect(page.locator("#notice")).to_be_focused()
    return page.locator("#notice").text_content()


def links(galaxy, email):
    """The links that confirm, from mails to an address."""
    mails = [mail for mail in galaxy.ask("/outbox.json") if mail["to"] == email]
    found = [re.search(r"http\S+/newsletter/confirm\S+", mail["text"]) for mail in mails]
    return [link[0] for link in found if link]


def test_who_asks_confirms_and_nobody_learns_who_did(galaxy, visit):
    page = visit(galaxy.url("spaceduckling", "/newsletter/"), **PHONE)
    assert barriers(page) == []
    first = ask(page, "reader@example.com")
    assert "Check your mailbox." in first
    assert page.get_by_label("E-mail address").input_value() == ""
    assert barriers(page) == []
    (link,) = links(galaxy, "reader@example.com")
    with urllib.request.urlopen(urllib.request.Request(link, method="POST"), timeout=30) as answer:
        assert answer.status == 200
    # Once it gets the newsletter, the page says just what it says to a stranger.
    assert ask(page, "reader@example.com") == first
    assert ask(page, "stranger@example.com") == first


def test_what_is_no_address_is_said_beside_the_field(galaxy, visit):
    page = visit(galaxy.url("spaceduckling", "/newsletter/"))
    page.get_by_label("E-mail address").fill("nobody")
    page.get_by_role("button", name="Ask for the newsletter").click()
    expect(page.locator("#email-err")).to_have_text("This does not look like an e-mail address.")
    expect(page.get_by_label("E-mail address")).to_be_focused()


def test_what_api_gateway_refuses_is_asked_again_and_then_said(galaxy, visit, watch):
    """Its own 429 and 5xx have a `message` and no `error`; a call that was refused was not made."""
    watch.expect(r"status of (429|503)")
    page = visit(galaxy.url("spaceduckling", "/newsletter/"))
    asked: list[str] = []
    refusals: list[tuple[int, str]] = []

    def answer(route):
        asked.append(route.request.method)
        if not refusals:
            return route.fallback()
        status, message = refusals.pop(0)
        allowed = {"access-control-allow-origin": "*"}
        return route.fulfill(status=status, json={"message": message}, headers=allowed)

    page.route("**/beak/newsletter", answer)
    refusals[:] = [(429, "Too Many Requests")]
    assert "Check your mailbox." in ask(page, "patient@example.com")
    assert asked.count("POST") == 2
    asked.clear()
    refusals[:] = [(429, "Too Many Requests")] * 2
    said = ask(page, "refused@example.com")
    assert "This galaxy is getting more calls than it takes. Wait a little, then try again." in said
    assert asked.count("POST") == 2
    # Nobody knows whether this one was done, so it is not made twice.
    asked.clear()
    refusals[:] = [(503, "Service Unavailable")]
    assert "The API gave no answer. Try again in a moment." in ask(page, "x@example.com")
    assert asked.count("POST") == 1
