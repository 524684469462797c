"""axe-core over a page as it stands."""

import json

from axe_playwright_python.sync_playwright import Axe

AXE = Axe()


def violations(page, rules=None):
    """What axe finds, one line for each rule that is broken; best practices count too."""
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


def in_both_themes(page):
    """The same in light and in dark; the page is light again afterwards."""
    found = violations(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in violations(page, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    return found
