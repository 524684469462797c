"""The second factor: switched on, signed in with, and switched off, for people and operators."""

import base64
import hmac
import io
import re
import struct
import time

import pytest
import zxingcpp
from accessibility import barriers
from conftest import PASSWORD
from PIL import Image
from playwright.sync_api import expect
from test_keyboard import go_to


def totp(secret, steps=0):
    """What an authenticator app shows, RFC 6238. Each code works once; one step ahead will do."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + steps), "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def access(galaxy, email, password=PASSWORD):
    return galaxy.ask("/beak/signin", {"email": email, "password": password})["access_token"]


def enrolled(galaxy, email, password=PASSWORD):
    """A second factor, enrolled by the API: its secret and its recovery codes."""
    token = access(galaxy, email, password)
    secret = galaxy.ask("/beak/me/totp", {"password": password}, token)["secret"]
    confirmed = galaxy.ask("/beak/me/totp/confirm", {"code": totp(secret)}, token)
    return secret, confirmed["recovery_codes"]


@pytest.fixture
def duck(galaxy, request):
    email = f"{request.node.name}@factor.example".replace("_", "-")
    return galaxy.hatch("Person", email) | {"email": email}


def sign_in(page, email, password=PASSWORD):
    page.get_by_label("E-mail address").first.fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def step(page):
    """The form that asks for a code; the page has others with codes."""
    return page.get_by_role("form", name="Second factor")


def scanned(page):
    """What a camera reads from the picture."""
    picture = page.get_by_role("img", name="QR code for your authenticator app")
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.screenshot())))
    return found.text


def give_password(page, dialog, watch):
    """Asks for the password, and says what is wrong with another one."""
    expect(dialog.get_by_role("heading", name="Switch on a second factor")).to_be_visible()
    expect(dialog.get_by_label("Password")).to_be_focused()
    assert barriers(page) == []
    watch.expect("status of 40[01]")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog).to_contain_text("Enter your password.")
    dialog.get_by_label("Password").fill("not this sentence")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog.locator("#factor-password-err")).to_have_text("The password is wrong.")
    expect(dialog.get_by_label("Password")).to_be_focused()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Continue").click()


def add_to_app(page, dialog):
    """Shows the secret in three ways that agree; takes the app's code. The secret."""
    expect(dialog.get_by_role("heading", name="Add it to your app")).to_be_focused()
    uri = dialog.get_by_role("link", name="open the app").get_attribute("href")
    grouped = dialog.locator("#factor-secret").inner_text()
    secret = grouped.replace(" ", "")
    assert re.fullmatch(r"([A-Z2-7]{4} )+[A-Z2-7]{1,4}", grouped)
    assert uri.startswith("otpauth://totp/")
    assert f"secret={secret}&" in uri
    assert scanned(page) == uri
    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    assert scanned(page) == uri
    page.emulate_media(color_scheme="light")
    code = dialog.get_by_label("Six-digit code")
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    code.fill(totp(secret, steps=7))
    dialog.get_by_role("button", name="Switch on").click()
    expect(dialog.locator("#factor-code-err")).to_contain_text("This code is wrong")
    code.fill(totp(secret))
    dialog.get_by_role("button", name="Switch on").click()
    return secret


def store_codes(page, dialog):
    """Shows ten recovery codes once, to be copied and saved. The codes."""
    expect(dialog.get_by_role("heading", name="Your recovery codes")).to_be_focused()
    codes = dialog.locator("#factor-codes").inner_text().split("\n")
    assert len(set(codes)) == 10
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Copy the codes").click()
    expect(dialog).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == codes
    with page.expect_download() as saved:
        dialog.get_by_role("button", name="Save them as a file").click()
    assert saved.value.path().read_text().split() == codes
    dialog.get_by_role("button", name="I have stored them").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("The second factor is on.")
    assert codes[0] not in page.content()
    return codes


def test_a_person_switches_it_on_and_off(galaxy, duck, visit, watch):
    page = visit(
        galaxy.url("spaceduckling", "/me/"), permissions=["clipboard-read", "clipboard-write"]
    )
    sign_in(page, duck["email"])
    page.get_by_role("button", name="Second factor").click()
    dialog = page.get_by_role("dialog")
    give_password(page, dialog, watch)
    secret = add_to_app(page, dialog)
    codes = store_codes(page, dialog)

    # All sessions have ended, so this one signs in with a code as well.
    sign_in(page, duck["email"])
    step(page).get_by_label("Six-digit code").fill(totp(secret, steps=1))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()
    page.get_by_role("button", name="Second factor").click()
    expect(dialog).to_contain_text("10 recovery codes are left.")
    assert barriers(page) == []
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_label("Code", exact=True).fill("aaaa-bbbb-cccc")
    dialog.get_by_role("button", name="Switch off").click()
    expect(dialog.locator("#factor-code-err")).to_contain_text("This code is wrong")
    dialog.get_by_label("Code", exact=True).fill(codes[0])
    dialog.get_by_role("button", name="Switch off").click()
    expect(page.locator("#notice")).to_contain_text("The second factor is off.")
    sign_in(page, duck["email"])
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()


def test_a_sign_in_takes_a_recovery_code_and_a_way_back(galaxy, duck, visit, watch):
    _, codes = enrolled(galaxy, duck["email"])
    page = visit(galaxy.url("spaceduckling", "/me/"))
    sign_in(page, duck["email"])
    code = step(page).get_by_label("Six-digit code")
    expect(code).to_be_focused()
    expect(code).to_have_attribute("inputmode", "numeric")
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    expect(code).to_have_accessible_description(re.compile("From your authenticator app"))
    assert barriers(page) == []
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#second-code-err")).to_have_text("Enter the code.")
    code.fill("12345")
    page.keyboard.press("Enter")
    expect(page.locator("#second-code-err")).to_have_text("The code has six digits.")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()

    sign_in(page, duck["email"])
    page.get_by_role("button", name="Use a recovery code").click()
    code = step(page).get_by_label("Recovery code", exact=True)
    expect(code).to_be_focused()
    expect(code).to_have_attribute("inputmode", "text")
    assert barriers(page) == []
    code.fill(codes[0].upper().replace("-", " "))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()
    page.get_by_role("button", name="Sign out").click()
    # It moves the form down.
    expect(page.locator("#notice")).to_contain_text("Signed out.")

    sign_in(page, duck["email"])
    page.get_by_role("button", name="Use a recovery code").click()
    watch.expect("status of 400")
    step(page).get_by_label("Recovery code", exact=True).fill(codes[0])
    page.keyboard.press("Enter")
    expect(page.locator("#second-code-err")).to_contain_text("has been used")


def test_a_sign_in_with_too_many_tries_begins_again(galaxy, duck, visit, watch):
    secret, _ = enrolled(galaxy, duck["email"])
    page = visit(galaxy.url("spaceduckling", "/me/"))
    watch.expect("status of 40[01]")
    sign_in(page, duck["email"])
    go = page.get_by_role("button", name="Continue")
    for _ in range(5):
        step(page).get_by_label("Six-digit code").fill(totp(secret, steps=9))
        with page.expect_response("**/beak/signin/totp"):
            go.click()
        expect(go).to_be_enabled()
    step(page).get_by_label("Six-digit code").fill(totp(secret, steps=1))
    go.click()
    expect(page.locator("#notice")).to_contain_text("has used up its tries")
    expect(step(page)).to_be_hidden()
    sign_in(page, duck["email"])
    step(page).get_by_label("Six-digit code").fill(totp(secret, steps=1))
    go.click()
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()


def test_the_keyboard_is_enough(galaxy, duck, visit):
    page = visit(galaxy.url("spaceduckling", "/me/"))
    sign_in(page, duck["email"])
    go_to(page, "factor")
    page.keyboard.press("Enter")
    expect(page.locator("#factor-password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Add it to your app")).to_be_focused()
    secret = page.locator("#factor-secret").inner_text().replace(" ", "")
    go_to(page, "factor-code", most=4)
    page.keyboard.type(totp(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_focused()
    go_to(page, "I have stored them", most=5)
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_be_focused()
    # A dialog that was left can be opened again, and gives the focus back.
    sign_in(page, duck["email"])
    expect(page.locator("#second-code")).to_be_focused()
    page.keyboard.type(totp(secret, steps=1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Person", exact=True)).to_be_focused()
    go_to(page, "factor")
    page.keyboard.press("Enter")
    expect(page.locator("#factor-password")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#factor")).to_be_focused()


def test_an_operator_keeps_the_codes_in_sight(own_galaxy, visit, watch):
    email, password = own_galaxy.operator()
    page = visit("about:blank")
    page.clock.install()
    page.goto(own_galaxy.url("duckcontrol"))
    sign_in(page, email, password)
    expect(page.get_by_role("heading", name="Operator console")).to_be_focused()
    page.get_by_role("button", name="Second factor").click()
    dialog = page.get_by_role("dialog", name=re.compile("factor|app|codes"))
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_role("button", name="Continue").click()
    secret = dialog.locator("#factor-secret").inner_text().replace(" ", "")
    assert secret in scanned(page)
    dialog.get_by_label("Six-digit code").fill(totp(secret))
    dialog.get_by_role("button", name="Switch on").click()
    codes = dialog.locator("#factor-codes").inner_text().split()
    assert len(codes) == 10
    # The next reading finds that the session has ended. The codes stay.
    watch.expect("status of 401")
    with page.expect_response("**/beak/refresh"):
        page.clock.fast_forward(30_000)
    expect(page.locator("#console")).to_be_hidden()
    expect(dialog.locator("#factor-codes")).to_have_text("\n".join(codes))
    assert barriers(page) == []
    dialog.get_by_role("button", name="I have stored them").click()
    expect(page.locator("#op-notice")).to_contain_text("The second factor is on.")

    sign_in(page, email, password)
    expect(page.locator("#console")).to_be_hidden()
    assert page.evaluate("() => sessionStorage.length") == 0
    step(page).get_by_label("Six-digit code").fill(totp(secret, steps=1))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Operator console")).to_be_focused()
    page.reload()
    expect(page.locator("#console")).to_be_visible()


def test_an_operator_without_it_is_led_to_it(own_galaxy, visit, watch):
    """Where the galaxy requires a second factor of operators."""
    problem = {
        "error": "forbidden",
        "message": "this galaxy requires a second factor of operators: enrol one with "
        "`POST /beak/me/totp`, then sign in again",
        "request_id": "req_1",
    }
    page = visit("about:blank")
    for call in ("spaceducks**", "operator/**"):
        page.route(f"**/beak/{call}", lambda route: route.fulfill(status=403, json=problem))
    watch.expect("status of 403")
    page.goto(own_galaxy.url("duckcontrol"))
    sign_in(page, *own_galaxy.operator())
    expect(page.get_by_role("heading", name="Switch on a second factor")).to_be_visible()
    expect(page.locator("#op-notice")).to_contain_text("requires a second factor of operators")
    expect(page.locator("#console")).to_be_hidden()
    assert barriers(page) == []
