"""The certificate's page: what it proves and refuses, without a connection, and its picture."""

import base64
import json
import pathlib
import struct

import pytest
from accessibility import barriers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def duck(galaxy):
    return galaxy.hatch("Certified Duck", "certified@example.com")


def check(page, text):
    page.get_by_label("The certificate, or its id").fill(text)
    page.get_by_role("button", name="Check", exact=True).click()


def test_it_is_checked_without_a_connection(galaxy, duck, visit, watch):
    page = visit(galaxy.url("spaceduckling", "/certificate/"))
    expect(page.locator("#keys-said")).to_contain_text("checked without a connection")
    page.context.set_offline(True)
    watch.expect("ERR_INTERNET_DISCONNECTED")
    check(page, duck["certificate"])
    expect(page.locator("#verdict")).to_contain_text("This certificate is genuine.")
    expect(page.locator("#proofs")).to_contain_text("Yes: this galaxy has signed it.")
    expect(page.locator("#proofs")).to_contain_text("Not known: whether it is still in force.")
    name = page.get_by_role("img", name="Birth certificate of Certified Duck, trust tier T0")
    expect(name).to_be_visible()


def altered(compact, **claims):
    """The same signature under other claims."""
    head, body, tail = compact.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "===")) | claims
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{body}.{tail}"


def headed(compact, **header):
    head, body, tail = compact.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "===")) | header
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.{body}.{tail}"


def test_what_was_changed_or_is_another_galaxys_is_refused(galaxy, own_galaxy, duck, visit):
    compact = duck["certificate"]
    stranger = own_galaxy.hatch("Stranger", "stranger@example.com")["certificate"]
    page = visit(galaxy.url("spaceduckling", "/certificate/"))
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_enabled()
    for text, reason in [
        ("hello", "This is not a certificate"),
        ("a.b.c", "a part of it is damaged"),
        (compact[:-1], "damaged"),
        # The last letter carries two bits that must be nought.
        (compact[:-1] + chr(ord(compact[-1]) + 1), "damaged"),
        (altered(compact, tier="T2"), "was changed after it was signed"),
        (altered(compact, name="Somebody Else"), "was changed after it was signed"),
        (headed(compact, alg="none"), "not signed with Ed25519"),
        (headed(compact, kid="other"), "not one of this galaxy’s"),
        (stranger, "not one of this galaxy’s"),
    ]:
        check(page, text)
        expect(page.locator("#verdict")).to_contain_text("Not a certificate of this galaxy.")
        expect(page.locator("#verdict")).to_contain_text(reason)
        expect(page.locator("#result")).to_be_hidden()
    assert barriers(page) == []


def test_one_for_another_issuer_is_refused(galaxy, duck, visit):
    """A galaxy may have moved, or two may share a key; what counts is for whom it was signed."""
    seed = bytes.fromhex((pathlib.Path(galaxy.data) / "certificate.key").read_text().strip())
    signed = altered(duck["certificate"], iss="https://elsewhere.example").rpartition(".")[0]
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(signed.encode())
    tail = base64.urlsafe_b64encode(signature).decode().rstrip("=")
    page = visit(galaxy.url("spaceduckling", f"/certificate/#{signed}.{tail}"))
    expect(page.locator("#verdict")).to_contain_text("for the galaxy at https://elsewhere.example")
    expect(page.locator("#result")).to_be_hidden()


def test_one_that_was_replaced_is_genuine_and_no_longer_in_force(galaxy, visit):
    one, other = (galaxy.hatch(name, f"{name}@replaced.example") for name in ("old", "new"))
    galaxy.bond(one, other)
    page = visit(galaxy.url("spaceduckling", f"/certificate/#{one['certificate']}"))
    expect(page.locator("#verdict")).to_contain_text("Genuine, but no longer in force.")
    expect(page.locator("#proofs")).to_contain_text("a newer certificate has taken its place")
    now = galaxy.ask("/beak/certificate", key=one["beak_key"])["certificate"]
    check(page, now)
    expect(page.locator("#verdict")).to_contain_text("genuine and in force")
    expect(page.get_by_role("img", name="trust tier T1")).to_be_visible()
    assert barriers(page) == []


def test_a_link_to_a_certificate_shows_it_without_its_address(galaxy, duck, visit, watch):
    page = visit(galaxy.url("spaceduckling", f"/certificate/?id={duck['cert_id']}"))
    expect(page.locator("#verdict")).to_contain_text("The galaxy knows this certificate")
    expect(page.get_by_role("img", name="Birth certificate of Certified Duck")).to_be_visible()
    expect(page.get_by_role("button", name="Save the certificate")).to_be_hidden()
    watch.expect("status of 404")
    check(page, "crt_00000000000000000000000000")
    expect(page.locator("#verdict")).to_contain_text("This galaxy has no certificate with this id.")


def test_the_picture_is_saved_as_a_png(galaxy, duck, visit):
    page = visit(galaxy.url("spaceduckling", f"/certificate/#{duck['certificate']}"))
    expect(page.locator("#verdict")).to_contain_text("in force")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the picture").click()
    picture = saved.value.path().read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (2400, 1260)
    assert len(picture) > 50_000
    assert saved.value.suggested_filename == f"Certified_Duck-{duck['cert_id']}.png"
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the certificate").click()
    assert saved.value.path().read_text() == duck["certificate"]


LOOKS = """(all) => all.map((one) =>
    ['cx', 'cy', 'r', 'fill'].map((name) => one.getAttribute(name)))"""


def test_the_same_duck_looks_the_same_and_another_does_not(galaxy, duck, visit):
    other = galaxy.hatch("Certified Duck", "twin@example.com")
    drawn = []
    for one in (duck, duck, other):
        page = visit(galaxy.url("spaceduckling", f"/certificate/#{one['certificate']}"))
        expect(page.locator("#verdict")).to_contain_text("in force")
        # What is drawn of its id: not its words, which differ anyway.
        drawn.append(page.locator("#picture svg circle").evaluate_all(LOOKS))
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_browser_without_ed25519_asks_the_galaxy_and_says_so(galaxy, duck, visit):
    page = visit("about:blank")
    # Playwright's own way in, since the pages' policy allows no script of a test.
    page.add_init_script(
        "const real = crypto.subtle.importKey.bind(crypto.subtle);"
        "crypto.subtle.importKey = (format, data, algorithm, ...rest) =>"
        " algorithm?.name === 'Ed25519'"
        " ? Promise.reject(new DOMException('no', 'NotSupportedError'))"
        " : real(format, data, algorithm, ...rest);"
    )
    page.goto(galaxy.url("spaceduckling", "/certificate/"))
    expect(page.locator("#keys-said")).to_contain_text("can’t check Ed25519 signatures")
    check(page, duck["certificate"])
    expect(page.locator("#verdict")).to_contain_text("The galaxy says: genuine and in force.")
    expect(page.locator("#proofs")).to_contain_text("Not known: the signature, in this browser.")
    check(page, altered(duck["certificate"], tier="T2"))
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("The galaxy says that the signature is not its own.")
