"""The function at the edge, as the sites' template has it, run in a browser: it means the file that
the local galaxy serves."""

import pathlib
import re
import urllib.error
import urllib.request

TEMPLATE = pathlib.Path(__file__).parents[2] / "templates" / "site.yaml"
PATHS = [
    "/",
    "/me/",
    "/me",
    "/certificate",
    "/help/",
    "/index.html",
    "/robots.txt",
    "/sitemap.xml",
    "/nothing/is/here",
    "/nothing.here",
    "/a.b/c",
    "/a.b/",
]


def function():
    """The JavaScript of the template, without its indentation."""
    text = TEMPLATE.read_text()
    body = re.search(r"FunctionCode: \|\n((?:        .*\n|\n)+)", text)[1]
    assert "function handler(event)" in body
    return body


def served(galaxy, path):
    """What the local galaxy answers, by its own address."""
    headers = {"Host": f"spaceduckling.localhost:{galaxy.port}"}
    request = urllib.request.Request(galaxy.api + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_the_edge_means_what_the_local_galaxy_serves(galaxy, visit):
    page = visit("about:blank")
    run = f"(uri) => {{ {function()}; return handler({{ request: {{ uri, method: 'GET' }} }}).uri; }}"
    for path in PATHS:
        meant = page.evaluate(run, path)
        # S3 knows no folders: what the edge asks for is a file.
        assert "." in meant.rsplit("/", 1)[1], meant
        assert served(galaxy, path) == served(galaxy, meant), (path, meant)
    assert page.evaluate(run, "/me") == "/me/index.html"
    assert page.evaluate(run, "/a.b/c") == "/a.b/c/index.html"
