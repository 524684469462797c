"""From nothing to a certificate, on a telephone."""

import json
import pathlib

from accessibility import in_both_themes
from conftest import PASSWORD
from playwright.sync_api import expect

PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}


def fill_in(page, name, email):
    page.get_by_label("Display name").fill(name)
    page.get_by_label("E-mail address").first.fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Hatch", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("The egg is laid.")


def hatch(page, galaxy, name, email, look=False):
    fill_in(page, name, email)
    assert not look or in_both_themes(page) == []
    page.get_by_label("Six-digit code").fill(galaxy.code(email))
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name=f"{name} has hatched")).to_be_focused()
    assert not look or in_both_themes(page) == []


def test_from_a_telephone_to_a_certificate(galaxy, visit):
    page = visit(galaxy.url("spaceduckling"), **PHONE)
    hatch(page, galaxy, "Phone Duck", "phone@example.com", look=True)
    key = page.locator("#key").text_content()
    assert galaxy.ask("/beak/me", key=key)["display_name"] == "Phone Duck"

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save it as a file").click()
    assert pathlib.Path(saved.value.path()).read_text() == f"{key}\n"
    page.get_by_role("button", name="I have stored it, hide it").click()
    assert key not in page.content()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert json.loads(stored) == [{}, {}, ""]

    with page.expect_popup() as opened:
        page.get_by_role("link", name="Check and share the certificate").click()
    certificate = opened.value
    expect(certificate.locator("#verdict")).to_contain_text("genuine and in force")
    assert "eyJ" not in certificate.url
    expect(certificate.get_by_role("img", name="Birth certificate of Phone Duck")).to_be_visible()
