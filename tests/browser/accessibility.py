"""What keeps somebody from using a page as it stands: axe-core's findings, and lines too wide."""

import json

from axe_playwright_python.sync_playwright import Axe

AXE = Axe()


def violations(page, rules=None):
    """What axe finds, one line for each place; best practices count too."""
    # Style sheets of strangers and sounds need no loading: there are none.
    options = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    found = AXE.run(page, options=options).response["violations"]
    return [
        f"{page.url}: {rule['id']}: {rule['help']}: {json.dumps(node['target'])}"
        for rule in found
        for node in rule["nodes"][:3]
    ]


def overflow(page, *widths):
    """Where one would have to scroll sideways; the page is as wide as before afterwards."""
    before, found = page.viewport_size, []
    for width in widths:
        page.set_viewport_size({"width": width, "height": before["height"]})
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{page.url}: {wide} points wide at {width}")
    page.set_viewport_size(before)
    return found


def barriers(page):
    """All of it, in light and in dark, on a telephone and on a desk. The page is light again
    afterwards."""
    found = violations(page) + overflow(page, 360, 1440)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    return found
