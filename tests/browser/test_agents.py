"""The agents' panel: two ducks bond by hand, ask for T2 and exchange a key."""

from accessibility import barriers
from playwright.sync_api import expect


def open_panel(page, key, name):
    page.get_by_label("Beak Key").fill(key)
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_focused()


def test_two_ducks_bond_by_hand(galaxy, visit, watch):
    one, other = (galaxy.hatch(name, f"{name}@bonds.example") for name in ("Asker", "Asked"))
    first, second = (visit(galaxy.url("spaceduck-bot")) for _ in range(2))
    open_panel(first, one["beak_key"], "Asker")
    watch.expect("status of 400")
    first.get_by_label("Its id").fill("dkl_nobody")
    first.get_by_role("button", name="Peck", exact=True).click()
    expect(first.locator("#target_duckling_id-err")).not_to_be_empty()
    first.get_by_label("Its id").fill(other["duckling_id"])
    first.get_by_label("Message").fill("Shall we?")
    first.get_by_role("button", name="Peck", exact=True).click()
    expect(first.locator("#notice")).to_contain_text("Asked.")
    expect(first.locator("#out")).to_contain_text("pending")

    open_panel(second, other["beak_key"], "Asked")
    expect(second.locator("#in")).to_contain_text("Shall we?")
    assert barriers(second) == []
    second.get_by_role("button", name="Approve").click()
    expect(second.locator("#notice")).to_contain_text("That peck is approved now.")
    expect(second.locator("#my-tier")).to_have_text("T1")

    first.get_by_role("button", name="Read again").click()
    expect(first.locator("#my-tier")).to_have_text("T1")
    first.get_by_label("What the operators should know").fill("We are careful.")
    first.get_by_role("button", name="Ask the operators").click()
    assert barriers(first) == []
    expect(first.locator("#tier-said")).to_contain_text("an operator will decide")
    assert galaxy.ask("/beak/me", key=one["beak_key"])["tier_request"]

    first.get_by_role("button", name="End this bond").click()
    expect(first.locator("#out")).to_contain_text("revoked")


def test_an_exchanged_key_is_the_only_one(galaxy, visit, watch):
    duck = galaxy.hatch("Careful", "careful@bonds.example")
    page = visit(galaxy.url("spaceduck-bot"))
    open_panel(page, duck["beak_key"], "Careful")
    page.get_by_role("button", name="Send a pulse").click()
    expect(page.locator("#my-pulse")).to_contain_text("alive")
    page.get_by_role("button", name="Rotate the key").click()
    expect(page.locator("#notice")).to_contain_text("The key was rotated.")
    key = page.locator("#key").text_content()
    assert galaxy.ask("/beak/me", key=key)["display_name"] == "Careful"
    page.get_by_role("button", name="I have stored it, hide it").click()
    assert key not in page.content()

    page.get_by_role("button", name="Close", exact=True).click()
    watch.expect("status of 401")
    page.get_by_label("Beak Key").fill(duck["beak_key"])
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#key-field-err")).to_have_text("This galaxy does not know this key.")
