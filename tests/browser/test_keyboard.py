"""Everything by the keyboard alone, with a focus that can be seen."""

import re

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect

# What has the focus: its id, its words, and whether one sees that it has it.
FOCUSED = """() => {
    const one = document.activeElement;
    const style = getComputedStyle(one.matches('.unseen') ? one.parentElement : one);
    const box = one.getBoundingClientRect();
    return {
        id: one.id,
        words: (one.innerText || one.value || one.getAttribute('aria-label') || '').trim(),
        body: one === document.body,
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        within: box.bottom > 0 && box.top < innerHeight,
    };
}"""


def step(page, key="Tab"):
    page.keyboard.press(key)
    focused = page.evaluate(FOCUSED)
    if not focused["body"]:
        assert focused["seen"], f"no focus to be seen: {focused}"
        assert focused["within"], f"the focus is out of sight: {focused}"
    return focused


def go_to(page, wanted, most=80):
    """Tabs until something has the focus, by its id or its words."""
    for _ in range(most):
        focused = step(page)
        if wanted in (focused["id"], focused["words"]):
            return
    raise AssertionError(f"`{wanted}` can't be reached")


def test_the_first_step_leads_past_the_navigation(galaxy, visit):
    page = visit(galaxy.url("spaceduckling"))
    assert step(page)["words"] == "Skip to the content"
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert step(page)["words"] == "Start hatching"


def test_hatch_and_check_the_certificate(galaxy, visit):
    page = visit(galaxy.url("spaceduckling"))
    expect(page.locator("#hatch-fields")).to_be_enabled()
    for field, text in [
        ("display_name", "Keyboard Duck"),
        ("email", "keyboard@example.com"),
        ("password", PASSWORD),
    ]:
        go_to(page, field)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type(galaxy.code("keyboard@example.com"))
    page.keyboard.press("Enter")
    expect(page.locator("#hatched-title")).to_be_focused()
    go_to(page, "I have stored it, hide it")
    page.keyboard.press("Space")
    expect(page.locator("#to-certificate")).to_be_focused()
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    certificate = opened.value
    expect(certificate.locator("#verdict")).to_contain_text("genuine and in force")
    go_to(certificate, "Save the picture")
    with certificate.expect_download():
        certificate.keyboard.press("Enter")


def test_mistakes_lead_to_their_field(galaxy, visit):
    page = visit(galaxy.url("spaceduckling"))
    expect(page.locator("#hatch-fields")).to_be_enabled()
    go_to(page, "email")
    page.keyboard.type("not an address")
    page.keyboard.press("Enter")
    expect(page.locator("#display_name")).to_be_focused()
    expect(page.locator("#display_name")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#display_name")).to_have_accessible_description(re.compile("Give your"))
    expect(page.locator("#email-err")).to_have_text("This does not look like an e-mail address.")


def test_an_operator_decides(own_galaxy, visit):
    one, other = (own_galaxy.hatch(name, f"{name}@example.com") for name in ("ada", "bo"))
    own_galaxy.bond(one, other)
    own_galaxy.ask("/beak/tier/request", {"statement": "Please."}, one["beak_key"])
    page = visit(own_galaxy.url("duckcontrol"))
    expect(page.locator("#signin-fields")).to_be_enabled()
    email, password = own_galaxy.operator()
    go_to(page, "email")
    page.keyboard.type(email)
    go_to(page, "password")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.locator("#console-title")).to_be_focused()
    go_to(page, "Refuse")
    page.keyboard.press("Enter")
    expect(page.locator("#op-notice")).to_contain_text("Refused.")
    expect(page.locator("#op-notice")).to_be_focused()


@pytest.mark.parametrize(
    ("site", "path"),
    [("duckcontrol", "/"), ("spaceduckling", "/certificate/"), ("spaceduck-bot", "/")],
)
def test_nothing_holds_the_focus(galaxy, visit, site, path):
    page = visit(galaxy.url(site, path))
    expect(page.locator("main fieldset")).to_be_enabled()
    seen = []
    for _ in range(80):
        focused = step(page)
        if focused["body"]:
            break
        seen.append(focused["id"] or focused["words"])
    else:
        raise AssertionError(f"no end: {seen[-6:]}")
    # All the way through the page, not round in its header.
    assert seen[0] == "Skip to the content"
    assert len(seen) == len(set(seen)) >= 10
