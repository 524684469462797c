"""The person's page: signing in, a new password, another name, the data, and the end."""

import json

import pytest
from accessibility import barriers
from conftest import PASSWORD
from playwright.sync_api import expect


def sign_in(page, email, password):
    page.get_by_label("E-mail address").first.fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.fixture
def duck(galaxy, request):
    email = f"{request.node.name}@account.example".replace("_", "-")
    return galaxy.hatch("Person", email) | {"email": email}


def test_a_forgotten_password_is_replaced(galaxy, duck, visit, watch):
    page = visit(galaxy.url("spaceduckling", "/me/"))
    page.get_by_label("E-mail address").first.fill(duck["email"])
    page.get_by_role("button", name="I forgot my password").click()
    expect(page.locator("#reset-email")).to_have_value(duck["email"])
    page.get_by_role("button", name="Send a code").click()
    expect(page.locator("#notice")).to_contain_text("a code is on its way")
    expect(page.locator("#resend")).to_have_text("Send a code (in 60 s)")
    assert barriers(page) == []
    page.get_by_label("Six-digit code").fill(galaxy.code(duck["email"]))
    page.get_by_role("textbox", name="New password").fill("another sentence for ducks")
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator("#notice")).to_contain_text("The new password is set.")
    watch.expect("status of 401")
    sign_in(page, duck["email"], PASSWORD)
    expect(page.locator("#notice")).to_contain_text("That did not work.")
    sign_in(page, duck["email"], "another sentence for ducks")
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()


def test_another_name_the_data_and_another_key(galaxy, duck, visit):
    page = visit(galaxy.url("spaceduckling", "/me/"))
    sign_in(page, duck["email"], PASSWORD)
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()
    page.get_by_role("textbox", name="Display name").fill("Renamed")
    page.get_by_role("button", name="Change the name").click()
    expect(page.locator("#notice")).to_contain_text("Your duckling is called Renamed now.")
    expect(page.get_by_role("img", name="Birth certificate of Person")).to_be_visible()

    with page.expect_download() as saved:
        page.get_by_role("button", name="Save all my data").click()
    data = json.loads(saved.value.path().read_text())
    assert data["profile"]["display_name"] == "Renamed"
    assert data["certificates"][0]["certificate"] == duck["certificate"]

    page.get_by_role("button", name="Rotate the key").click()
    expect(page.locator("#notice")).to_contain_text("The key was rotated.")
    assert barriers(page) == []
    key = page.locator("#key").text_content()
    assert galaxy.ask("/beak/me", key=key)["display_name"] == "Renamed"
    page.get_by_role("button", name="I have stored it, hide it").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#notice")).to_contain_text("Signed out.")
    assert duck["duckling_id"] not in page.content()


def test_the_end(galaxy, duck, visit, watch):
    page = visit(galaxy.url("spaceduckling", "/me/"))
    sign_in(page, duck["email"], PASSWORD)
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#confirm-err")).to_have_text("Type “Person”, as it is written.")
    page.get_by_label("Type the duckling’s name").fill("Person")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#notice")).to_contain_text("Deleted.")
    judged = galaxy.ask("/beak/certificates/verify", {"certificate": duck["certificate"]})
    assert judged["status"] == "revoked"
    watch.expect("status of 401")
    sign_in(page, duck["email"], PASSWORD)
    expect(page.locator("#notice")).to_contain_text("That did not work.")


def test_the_end_of_many_bonds_takes_minutes(galaxy, duck, visit, watch):
    page = visit(galaxy.url("spaceduckling", "/me/"))
    sign_in(page, duck["email"], PASSWORD)
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()

    def answer(route):
        if route.request.method == "DELETE":
            route.fulfill(status=202, json={"status": "deleting"})
        else:
            route.continue_()

    page.route("**/beak/me", answer)
    page.get_by_label("Type the duckling’s name").fill("Person")
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#notice")).to_contain_text("Being deleted.")
