"""Mission Control: counters that move, operators who decide, and a galaxy that is gone."""

import re

from accessibility import barriers
from conftest import PASSWORD, ROOT
from playwright.sync_api import expect


def sign_in(page, galaxy):
    email, password = galaxy.operator()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Operator console")).to_be_focused()


def read_now(page):
    page.get_by_role("button", name="Read now").click()
    expect(page.get_by_role("button", name="Read now")).to_be_enabled()


def test_two_ducks_bond_while_the_counters_move(own_galaxy, visit):
    page = visit(own_galaxy.url("duckcontrol"))
    expect(page.locator("#lamp")).to_have_text("All is well")
    expect(page.locator("#m-connections")).to_have_text("0")
    one, other = (own_galaxy.hatch(name, f"{name}@example.com") for name in ("ada", "bo"))
    own_galaxy.bond(one, other)
    read_now(page)
    expect(page.locator("#m-connections")).to_have_text("1")
    expect(page.locator("#m-total_ducklings")).to_have_text("2")
    expect(page.locator("#m-certs_issued")).to_have_text("4")
    expect(page.locator("#told")).to_contain_text("1 bonds in force")
    line = page.get_by_role("img", name=re.compile("^bonds in force, 2 readings: from 0 to 1"))
    expect(line).to_be_visible()
    expect(page.locator("#chart-text")).to_contain_text("1 peck in all: 0 pending, 1 approved")
    page.get_by_text("The readings as a table").click()
    expect(page.locator("#readings tr")).to_have_count(2)


# The filter looks into ids too, and those have no letter O.
NAMES = ("Harbour", "Colonel", "Falcon", "Porter")


def test_an_operator_sees_the_fleet_and_decides(own_galaxy, visit, watch):
    ducks = [own_galaxy.hatch(name, f"{name}@example.com") for name in NAMES]
    own_galaxy.bond(ducks[0], ducks[1])
    own_galaxy.bond(ducks[2], ducks[3])
    for duck in (ducks[0], ducks[2]):
        own_galaxy.ask("/beak/tier/request", {"statement": "We are known."}, duck["beak_key"])
    own_galaxy.ask("/beak/pulse", {}, ducks[0]["beak_key"], "POST")

    page = visit(own_galaxy.url("duckcontrol"))
    sign_in(page, own_galaxy)
    fleet = page.get_by_role("img", name=re.compile("The fleet: 1 alive.*3 offline"))
    expect(fleet).to_be_visible()
    expect(page.locator("#attention")).to_contain_text("2 ducklings are waiting for your decision")
    expect(page.locator("#mail")).to_contain_text("outbox")
    expect(page.locator("#alarms")).to_contain_text("None: this galaxy runs on one machine.")
    expect(page.locator("#tables tr").first).to_contain_text("active")
    expect(page.locator("#rows tr")).to_have_count(4)
    assert barriers(page) == []
    page.get_by_label("Filter by name, id, tier or key").fill("Falcon")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#row-count")).to_contain_text("1 of 1 duckling that fit; 4 in all.")

    page.get_by_label("Note to the audit log about Harbour").fill("Met in person.")
    request = page.locator("#requests > li")
    request.filter(has_text="Harbour").get_by_role("button", name="Grant T2").click()
    expect(page.locator("#op-notice")).to_contain_text("Harbour has tier T2 and a new certificate.")
    request.filter(has_text="Falcon").get_by_role("button", name="Refuse").click()
    expect(page.locator("#op-notice")).to_contain_text("Falcon has tier T1 as before.")
    expect(page.locator("#requests")).to_contain_text("No open requests.")
    expect(page.locator("#events")).to_contain_text("“Met in person.”")
    tiers = [own_galaxy.ask("/beak/me", key=duck["beak_key"])["trust_tier"] for duck in ducks]
    assert tiers == ["T2", "T1", "T1", "T1"]

    stored = page.evaluate("() => [localStorage.length, document.cookie]")
    assert stored == [0, ""]
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#op-notice")).to_contain_text("Signed out.")
    expect(page.locator("#console")).to_be_hidden()
    assert page.evaluate("() => sessionStorage.length") == 0
    assert "Falcon" not in page.content()
    assert ducks[2]["duckling_id"] not in page.content()


def test_who_waits_longest_is_shown_whatever_the_list_shows(own_galaxy, visit):
    """The list stops at 2,000 ducklings; those who wait may be any of the others."""
    ducks = [own_galaxy.hatch(name, f"{name}@example.com") for name in NAMES]
    own_galaxy.bond(ducks[0], ducks[1])
    for duck in (ducks[1], ducks[0]):
        own_galaxy.ask("/beak/tier/request", {"statement": "Please."}, duck["beak_key"])
    page = visit("about:blank")
    page.route(
        "**/beak/spaceducks*",
        lambda route: route.fulfill(json={"spaceducks": [], "next_cursor": None}),
    )
    page.goto(own_galaxy.url("duckcontrol"))
    sign_in(page, own_galaxy)
    expect(page.locator("#requests h5")).to_have_text(["Colonel", "Harbour"])
    expect(page.locator("#requests > li").first).to_contain_text("Waiting for")
    expect(page.locator("#attention")).to_contain_text("2 ducklings are waiting for your decision")


def test_an_operator_suspends_restores_and_removes_a_duckling(own_galaxy, visit, watch):
    ducks = {name: own_galaxy.hatch(name, f"{name}@example.com") for name in NAMES[:2]}
    page = visit(own_galaxy.url("duckcontrol"))
    sign_in(page, own_galaxy)
    row = page.locator("#rows tr").filter(has_text="Harbour")
    dialog, notice = page.get_by_role("dialog"), page.locator("#op-notice")

    def manage():
        row.get_by_role("button", name="Manage Harbour").click()
        expect(dialog.get_by_role("heading", name="Manage Harbour")).to_be_visible()
        expect(dialog.get_by_label("Reason", exact=False)).to_be_focused()

    manage()
    assert barriers(page) == []
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog).to_contain_text("Say why.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    manage()
    dialog.get_by_label("Reason", exact=False).fill("Reported for advertising.")
    dialog.get_by_role("button", name="Suspend").click()
    expect(notice).to_contain_text("Harbour’s key and certificate are refused from now on.")
    expect(row).to_contain_text("suspended")
    expect(page.locator("#events")).to_contain_text("was suspended: “Reported for advertising.”")
    token = own_galaxy.ask("/beak/signin", {"email": "harbour@example.com", "password": PASSWORD})[
        "access_token"
    ]
    assert own_galaxy.ask("/beak/me", key=token)["cert_status"] == "suspended"

    manage()
    expect(dialog.get_by_role("button", name="Suspend")).to_be_hidden()
    dialog.get_by_label("Reason", exact=False).fill("It was somebody else.")
    dialog.get_by_role("button", name="Restore").click()
    expect(notice).to_contain_text("are good again")
    assert own_galaxy.ask("/beak/me", key=ducks["Harbour"]["beak_key"])["cert_status"] == "valid"

    manage()
    dialog.get_by_label("Reason", exact=False).fill("Advertising to everybody.")
    dialog.get_by_text("Remove this duckling").click()
    remove = dialog.get_by_role("button", name="Remove for good")
    remove.click()
    expect(dialog).to_contain_text("Type Harbour to remove it. This can’t be undone.")
    assert own_galaxy.ask("/beak/me", key=ducks["Harbour"]["beak_key"])["bonds"] == 0
    dialog.get_by_label("Type Harbour to confirm").fill("Harbour")
    remove.click()
    expect(notice).to_contain_text("Harbour is deleted")
    expect(page.locator("#rows tr")).to_have_count(1)
    ids = {
        duck["duckling_id"] for duck in own_galaxy.ask_as_operator("/beak/spaceducks")["spaceducks"]
    }
    assert ids == {ducks["Colonel"]["duckling_id"]}


def test_a_removal_of_many_bonds_takes_minutes(own_galaxy, visit, watch):
    own_galaxy.hatch("Harbour", "harbour@example.com")
    page = visit(own_galaxy.url("duckcontrol"))
    sign_in(page, own_galaxy)
    page.route("**/remove", lambda route: route.fulfill(status=202, json={"status": "deleting"}))
    page.get_by_role("button", name="Manage Harbour").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason", exact=False).fill("Too many bonds for one call.")
    dialog.get_by_text("Remove this duckling").click()
    dialog.get_by_label("Type Harbour to confirm").fill("Harbour")
    dialog.get_by_role("button", name="Remove for good").click()
    expect(page.locator("#op-notice")).to_contain_text("ends its remaining bonds within minutes")


def test_a_sign_in_survives_a_reload_and_ends_with_the_tab(own_galaxy, visit, watch):
    page = visit(own_galaxy.url("duckcontrol"))
    sign_in(page, own_galaxy)
    page.reload()
    expect(page.locator("#signed-as")).to_contain_text("Signed in as operator@")
    expect(page.locator("#console")).to_be_visible()
    # Another tab of the same browser is not signed in.
    other = page.context.new_page()
    other.goto(own_galaxy.url("duckcontrol"))
    expect(other.locator("#signin-fields")).to_be_enabled()
    expect(other.locator("#console")).to_be_hidden()
    # Tokens that no longer work lead to the form, and are forgotten.
    watch.expect(r"status of 401")
    page.evaluate(
        "() => sessionStorage.setItem('spaceduck-operator', "
        "JSON.stringify({access: 'x', refresh: 'y'}))"
    )
    page.reload()
    expect(page.locator("#op-notice")).to_contain_text("Your session has expired.")
    expect(page.locator("#signin-form")).to_be_visible()
    assert page.evaluate("() => sessionStorage.length") == 0


def test_times_do_not_wrap(own_galaxy, visit):
    own_galaxy.hatch("Punctual", "punctual@example.com")
    for width in (360, 1440):
        page = visit(own_galaxy.url("duckcontrol"), width=width)
        sign_in(page, own_galaxy)
        for time in page.locator("#rows time, #events time").all():
            height = time.evaluate("(time) => time.getClientRects().length")
            assert height == 1, time.inner_text()


def test_what_only_aws_has_is_said_with_the_next_step(own_galaxy, visit):
    """The page as operators see it in AWS: sandbox, quota, the function's version, a lost table."""
    told: dict[str, object] = {}

    def answer(route):
        response = route.fetch()
        status = response.json()
        # Only operators are told of the mail.
        route.fulfill(response=response, json=status | told if "mail" in status else status)

    page = visit("about:blank")
    settings = own_galaxy.settings("duckcontrol") | {"outbox": None}
    page.route("**/config.json", lambda route: route.fulfill(json=settings))
    page.route("**/beak/system/status", answer)
    mail = {"sender": False, "sandbox": True, "quota": 200, "sent": 12}
    mail |= {"bounces": 3, "complaints": 1}
    quiet = {"name": "Api5xxAlarm", "state": "ok", "since": "2026-11-24T08:00:00Z"}
    alarm: dict[str, str | None] = {
        "name": "ErrorsAlarm",
        "state": "ok",
        "since": "2026-11-25T00:30:00Z",
    }
    table = {"name": "spaceduck-pecks", "active": True, "entries": None}
    told |= {"mail": mail, "tables": [table], "function_version": "54"}
    told |= {"alarms": [quiet, alarm | {"state": "unknown"}]}
    page.goto(own_galaxy.url("duckcontrol"))
    sign_in(page, own_galaxy)
    expect(page.locator("#function-version")).to_have_text("54")
    expect(page.locator("#mail")).to_contain_text("sandbox")
    expect(page.locator("#mail")).to_contain_text("set mail.domain in galaxy.yaml")
    expect(page.locator("#mail")).to_contain_text("3 bounced, 1 marked as spam")
    expect(page.locator("#alarms li")).to_contain_text(["OK Api5xxAlarm", "not enough data"])
    expect(page.locator("#alarms time").first).to_have_attribute("datetime", quiet["since"])
    quota = page.get_by_role("img", name="12 of 200 mails sent within 24 hours")
    expect(quota).to_be_visible()
    assert barriers(page) == []

    attention = page.locator("#attention")
    steps: list[tuple[dict[str, object], str]] = [
        ({"mail": mail | {"sender": True}}, "spaceduck mail apply"),
        ({"mail": mail | {"sender": True, "sandbox": False, "sent": 190}}, "a higher one"),
        ({"mail": mail | {"sender": True, "sandbox": False}}, "Nothing to do."),
        ({"alarms": [quiet, alarm | {"state": "alarm"}]}, "The alarm ErrorsAlarm is firing."),
        ({"alarms": [alarm | {"state": "missing", "since": None}]}, "ErrorsAlarm is missing"),
        ({"alarms": [quiet, alarm]}, "Nothing to do."),
        ({"tables": [table | {"active": False}]}, "spaceduck-pecks is not responding"),
        ({"status": "degraded"}, "The galaxy’s status is “degraded”"),
        ({"mail": None, "fleet": None, "tables": None, "alarms": None}, "degraded"),
    ]
    for change, said in steps:
        told |= change
        page.get_by_role("button", name="Read again").click()
        expect(attention).to_contain_text(said)
    for part in ("#fleet", "#alarms"):
        expect(page.locator(part)).to_contain_text("could not find this out")


def test_what_to_do_is_a_page_that_is_there(galaxy, visit):
    """Scripts link to runbooks, which the builder of the pages can't see."""
    folder = ROOT / "sites" / "duckcontrol"
    scripts = "".join((folder / name).read_text() for name in ("control.js", "operators.js"))
    pages = set(re.findall(r"'(/[a-z0-9/-]+/)'", scripts))
    assert len(pages) > 5
    page = visit("about:blank")
    for path in pages:
        assert page.goto(galaxy.url("duckcontrol", path)).status == 200, path


def test_only_operators_get_in(galaxy, visit, watch):
    galaxy.hatch("Curious", "curious@example.com")
    page = visit(galaxy.url("duckcontrol"))
    page.get_by_label("E-mail address").fill("curious@example.com")
    page.get_by_label("Password").fill("not this sentence")
    watch.expect(r"status of 40[13]")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#op-notice")).to_contain_text("password is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#op-notice")).to_contain_text("This account is not an operator.")
    expect(page.locator("#console")).to_be_hidden()


def test_a_galaxy_that_is_gone_and_comes_back(own_galaxy, visit, watch):
    page = visit(own_galaxy.url("duckcontrol"))
    expect(page.locator("#m-total_ducklings")).to_have_text("0")
    own_galaxy.stop()
    watch.expect("ERR_CONNECTION_REFUSED")
    read_now(page)
    expect(page.locator("#lamp")).to_have_text("The Beak can’t be reached")
    expect(page.locator("#trouble")).to_contain_text("The figures below are those of")
    expect(page.locator("#trouble")).to_contain_text("Start it with cargo galaxy")
    expect(page.locator("#trouble")).to_contain_text("spaceduck status")
    # The old figures stay, with their age.
    expect(page.locator("#m-total_ducklings")).to_have_text("0")
    assert barriers(page) == []
    expect(page.locator("#age")).to_contain_text(re.compile(r"Figures are \d+ seconds old"))
    own_galaxy.start()
    read_now(page)
    expect(page.locator("#trouble")).to_contain_text("The Beak answers again.")
    expect(page.locator("#lamp")).to_have_text("All is well")


def test_it_reads_every_30_seconds_while_somebody_looks(galaxy, visit):
    page = visit("about:blank")
    page.clock.install()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(galaxy.url("duckcontrol"))
    expect(page.locator("#lamp")).to_have_text("All is well")

    def reads():
        return sum("/beak/metrics" in url for url in asked)

    assert reads() == 1
    with page.expect_response("**/beak/metrics"):
        page.clock.fast_forward(30_000)
    expect(page.get_by_role("button", name="Read now")).to_be_enabled()
    assert reads() == 2

    # Playwright can't hide a tab; the page only knows what the document says.
    hide = """(hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.clock.fast_forward(300_000)
    assert reads() == 2
    # Not even a reading that ends while nobody looks leads to the next one.
    read_now(page)
    page.clock.fast_forward(300_000)
    assert reads() == 3
    with page.expect_response("**/beak/metrics"):
        page.evaluate(hide, False)
    assert reads() == 4
