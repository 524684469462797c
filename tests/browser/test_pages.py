"""All pages of all sites: barriers, width, weight, and what is left without scripts."""

import re
import urllib.parse
import urllib.request
from xml.etree import ElementTree

import pytest
from accessibility import barriers, overflow, violations
from conftest import SITES
from playwright.sync_api import expect

# The most that a page may weigh with everything it loads.
WEIGHT = 100 * 1024
# In both themes: every page with a program, and one of each kind that the builder makes.
APPS = [
    ("duckcontrol", "/"),
    ("spaceduckling", "/"),
    ("spaceduckling", "/certificate/"),
    ("spaceduckling", "/me/"),
    ("spaceduckling", "/newsletter/"),
    ("spaceduck-bot", "/"),
]
MAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
OTHERS = ["/search/", "/sites/", "/nothing-is-here/"]


@pytest.fixture(scope="session")
def index(galaxy):
    """Every page that the galaxy itself knows of, as (site, path)."""
    # By the local galaxy's own address: not every system finds names below `localhost`.
    listed = []
    for site in SITES:
        # By the local galaxy's own address: not every system finds names below `localhost`.
        host = urllib.parse.urlsplit(galaxy.url(site)).netloc
        asked = urllib.request.Request(f"{galaxy.api}/sitemap.xml", headers={"Host": host})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            places = ElementTree.parse(answer).iter(f"{{{MAPS}}}loc")
            listed += [(site, urllib.parse.urlsplit(place.text).path) for place in places]
    assert len(listed) > 200
    return sorted({*listed, *APPS, *((site, path) for site in SITES for path in ["/", *OTHERS])})


def weight(page):
    return page.evaluate(
        "() => ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))"
        ".reduce((sum, entry) => sum + entry.decodedBodySize, 0)"
    )


# In parts, so that the longest of them is not what everything waits for.
@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("site", SITES)
def test_no_page_has_a_barrier_or_is_too_wide_or_too_heavy(galaxy, index, visit, watch, site, part):
    watch.expect("nothing-is-here.*status of 404")
    page = visit("about:blank")
    found, seen = [], 0
    for _, path in [one for one in index if one[0] == site][part::3]:
        page.goto(galaxy.url(site, path))
        heavy = weight(page)
        if heavy > WEIGHT:
            found.append(f"{page.url}: {heavy} bytes")
        found += violations(page)
        found += overflow(page, 360, 1440)
        seen += 1
    assert not found, "\n".join(found)
    assert seen > 1


def test_the_index_of_pages_is_whole(galaxy, index, visit, watch):
    """Whatever a page links to within its site is in the index, so that no page is left out."""
    watch.expect("nothing-is-here.*status of 404")
    page = visit("about:blank", java_script_enabled=False)
    known = {galaxy.url(site, path) for site, path in index}
    missing = set()
    for site, path in index[:: max(1, len(index) // 40)]:
        page.goto(galaxy.url(site, path))
        links = page.locator("a[href^='/']").evaluate_all("(all) => all.map((a) => a.href)")
        missing |= {link.split("#")[0].split("?")[0] for link in links} - known
    assert missing == set()


@pytest.mark.parametrize(
    ("site", "path"),
    [*((site, "/") for site in SITES), ("duckcontrol", "/mail/"), ("mightyspaceduck", "/blog/")],
)
def test_a_telephone_shows_where_one_is(galaxy, visit, site, path):
    """Among the five, and among the sections of the site; in a menu that needs no scripts."""
    page = visit(galaxy.url(site, path), width=360, java_script_enabled=False)
    expect(page.locator("header nav").first).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    places = page.locator("header nav [aria-current]")
    expect(places).to_have_count(1 if path == "/" else 2)
    for place in places.all():
        expect(place).to_be_visible()
        box = place.bounding_box()
        assert 0 <= box["x"] <= 360 - box["width"], place.inner_text()
    page.keyboard.press("Escape")
    expect(places.first).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768])
def test_a_page_begins_on_the_first_screen(galaxy, index, visit, watch, width):
    """The header is one low bar, and the first sentence of the text is in sight."""
    watch.expect("nothing-is-here.*status of 404")
    page = visit("about:blank", width=width, height=780)
    read = 0
    for site, path in index[:: max(1, len(index) // 40)]:
        page.goto(galaxy.url(site, path))
        bar = page.locator(".bar").bounding_box()
        assert bar["height"] <= 72, f"{page.url}: {bar}"
        first = page.locator(".prose > :is(p, .cards, table, dl)").first
        if first.count():
            read += 1
            box = first.bounding_box()
            assert box["y"] + 24 < 780, f"{page.url}: {box}"
    assert read > 30


def test_the_side_bar_shows_the_page(galaxy, visit):
    page = visit(galaxy.url("duckcontrol", "/runbooks/update-rollback-failed/"), height=500)
    here, side = page.locator(".side [aria-current]").last, page.locator(".side")
    inner, outer = here.bounding_box(), side.bounding_box()
    assert outer["y"] <= inner["y"] <= outer["y"] + outer["height"] - inner["height"]


def test_code_can_be_copied(galaxy, visit):
    page = visit(
        galaxy.url("duckgalaxy", "/guide/errors-and-retries/"), permissions=["clipboard-write"]
    )
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    block = page.locator(".code").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.copied") == block.locator("pre").inner_text().strip()
    # Colours are made when the page is built, and without scripts there is no button.
    expect(block.locator("pre span").first).to_have_class("s")
    page = visit(galaxy.url("duckgalaxy", "/guide/errors-and-retries/"), java_script_enabled=False)
    expect(page.locator(".copy")).to_have_count(0)


@pytest.mark.parametrize(("site", "path"), [*APPS, *((site, "/sites/") for site in SITES[:1])])
def test_both_themes(galaxy, visit, site, path):
    page = visit(galaxy.url(site, path))
    assert barriers(page) == []
    backgrounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        backgrounds.append(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert backgrounds[0] != backgrounds[1]


def test_a_sample_of_the_documentation_in_the_dark(galaxy, index, visit, watch):
    watch.expect("nothing-is-here.*status of 404")
    page = visit("about:blank", color_scheme="dark")
    found = []
    for site, path in index[:: max(1, len(index) // 25)]:
        page.goto(galaxy.url(site, path), wait_until="domcontentloaded")
        found += violations(page, ["color-contrast"])
    assert not found, "\n".join(found)


def test_the_documentation_needs_no_scripts(galaxy, index, visit, watch):
    watch.expect("nothing-is-here.*status of 404")
    page = visit("about:blank", java_script_enabled=False)
    for site, path in index[:: max(1, len(index) // 40)]:
        page.goto(galaxy.url(site, path))
        expect(page.locator("h1")).to_have_count(1)
        expect(page.locator("h1")).to_be_visible()
        assert len(page.locator("main").inner_text()) > 100, page.url
        # The way to the other sites is there without scripts too.
        other = page.locator("nav[aria-label='Sites of this galaxy'] a:not([aria-current])").first
        assert other.get_attribute("href").startswith("/sites/#"), page.url


@pytest.mark.parametrize(("site", "path"), APPS)
def test_pages_with_a_program_say_what_they_need(galaxy, visit, site, path):
    page = visit(galaxy.url(site, path), java_script_enabled=False)
    note = page.locator("noscript p")
    expect(note).to_be_visible()
    assert "JavaScript" in note.inner_text()
    # Nothing that would do nothing: what can be pressed needs a script, so all of it is off.
    for button in page.locator("main button:visible").all():
        expect(button).to_be_disabled()


def test_nothing_moves_for_those_who_asked_for_stillness(galaxy, visit):
    moving = "() => document.getAnimations().length"
    page = visit(galaxy.url("duckcontrol"))
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0


def test_the_local_galaxys_own_pages(galaxy, visit):
    galaxy.hatch("Mailed", "mailed@example.com")
    for path in ("/", "/beak", "/outbox"):
        page = visit(galaxy.api + path)
        assert barriers(page) == []
        expect(page.locator("header nav [aria-current]")).to_have_count(1)


def test_the_outbox_shows_codes_and_times_as_people_read_them(galaxy, visit):
    galaxy.ask(
        "/beak/hatch",
        {
            "email": "shown@example.com",
            "password": "a sentence for ducks",
            "display_name": "Shown",
            "captcha_token": "x",
        },
    )
    page = visit(galaxy.api + "/outbox")
    mail = page.locator(".mail", has_text="shown@example.com").first
    code = galaxy.code("shown@example.com")
    expect(mail.locator(".code.big pre")).to_have_text(code)
    size = mail.locator(".code.big code").evaluate("(code) => getComputedStyle(code).fontSize")
    assert float(size.removesuffix("px")) >= 32
    expect(mail.get_by_role("button", name="Copy")).to_be_visible()
    expect(mail.locator("time")).to_have_text(re.compile("just now|ago"))


def test_the_api_says_where_everything_is(galaxy):
    """JSON for programs, a page for browsers, at the same address."""
    root = galaxy.ask("/beak")
    assert root["links"]["openapi"] == f"{galaxy.api}/beak/openapi.json"
    for link in root["links"].values():
        assert galaxy.ask(link.removeprefix(galaxy.api)), link
    request = urllib.request.Request(galaxy.api + "/beak", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"POST /beak/peck" in answer.read()
