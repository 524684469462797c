"""All pages of all sites: barriers, width, weight, and what is left without scripts."""

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
    assert len(listed) > 400
    return sorted({*listed, *APPS, *((site, path) for site in SITES for path in ["/", *OTHERS])})


def weight(page):
    return page.evaluate(
        "() => ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))"
        ".reduce((sum, entry) => sum + entry.decodedBodySize, 0)"
    )


# In parts, so that the longest of them is not what everything waits for.
@pytest.mark.parametrize("part", range(3))
@pytest.mark.parametrize("site", SITES)
def test_no_page_has_a_barrier_or_is_too_wide_or_too_heavy(
    galaxy, index, visit, watch, site, part
):
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
    """Among the five, and among the sections of the site."""
    page = visit(galaxy.url(site, path), width=360)
    places = page.locator("header nav [aria-current]")
    expect(places).to_have_count(1 if path == "/" else 2)
    for place in places.all():
        box = place.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360, place.inner_text()


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
    for path in ("/", "/outbox"):
        page = visit(galaxy.api + path)
        assert barriers(page) == []
