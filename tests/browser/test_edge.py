"""The function at the edge, as the sites' template has it, run in a browser: it means the file that
the local galaxy serves."""

import http.client
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
    "/.well-known/api-catalog",
    "/.well-known/security.txt",
    "/llms.txt",
    "/sitemap.xml",
    "/nothing/is/here",
    "/nothing.here",
    "/a.b/c",
    "/a.b/",
    "//evil",
]


def function():
    """The JavaScript of the template, without its indentation."""
    text = TEMPLATE.read_text()
    found = re.search(r"FunctionCode: \|\n((?:        .*\n|\n)+)", text)
    assert found
    body = found[1]
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


def redirected(galaxy, path):
    """Where the local galaxy sends a browser."""
    connection = http.client.HTTPConnection("localhost", galaxy.port, timeout=30)
    connection.request("GET", path, headers={"Host": f"spaceduckling.localhost:{galaxy.port}"})
    answer = connection.getresponse()
    assert answer.status == 301, (path, answer.status)
    return answer.getheader("Location")


def test_the_edge_means_what_the_local_galaxy_serves(galaxy, visit):
    page = visit("about:blank")
    run = (
        f"(uri) => {{ {function()}; "
        "return handler({ request: { uri, method: 'GET', querystring: QUERY } }); }"
    )
    query = (
        "{ a: { value: '1', multiValue: [{ value: '1' }, { value: '%C3%BC' }] }, b: { value: '' } }"
    )
    run = run.replace("QUERY", query)
    for path in PATHS:
        answer = page.evaluate(run, path)
        if answer.get("statusCode") == 301:
            location = answer["headers"]["location"]["value"]
            assert redirected(galaxy, path + "?a=1&a=%C3%BC&b") == location, path
            assert location == f"{path}/?a=1&a=%C3%BC&b".replace("//evil", "/evil")
            continue
        meant = answer["uri"]
        # S3 knows no folders: what the edge asks for is a file.
        assert "." in meant.rsplit("/", 1)[1] or path == "/.well-known/api-catalog", meant
        assert served(galaxy, path) == served(galaxy, meant), (path, meant)
    token = "/.well-known/acme-challenge/token"
    assert page.evaluate(run, token)["uri"] == token
