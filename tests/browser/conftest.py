"""A whole galaxy on this machine and a real Chromium in front of it.

The galaxy is the program `beak-local` as it was built, with a folder of its own. Every page that a
test opens is watched: an error in its console, a refusal by its content policy or a request to a
stranger fails the test, unless the test has said that it will come.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
]
SITES = ["mightyspaceduck", "duckgalaxy", "duckcontrol", "spaceduckling", "spaceduck-bot"]
PASSWORD = "a sentence for ducks"
# A busy machine is no reason to fail.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


class Galaxy:
    """The running program, and what a person at this machine can do with it."""

    def __init__(self, data, port=0, limits=False):
        self.data, self.port, self.limits = data, port, limits
        self.start()

    def start(self):
        target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
        program = pathlib.Path(target) / "debug" / "beak-local"
        if not program.exists():
            pytest.fail(f"{program} is missing: run `cargo build -p beak-local`", pytrace=False)
        command = [program, "--data", self.data, "--port", str(self.port)]
        self.log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - `stop` closes it
        self.process = subprocess.Popen(
            command if self.limits else [*command, "--no-limits"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.match(r"\s+API\s+http://localhost:(\d+)/beak", line)
            if found:
                self.port = int(found[1])
            if line.startswith("Ctrl-C"):
                return
        self.log.seek(0)
        pytest.fail(f"the galaxy did not start: {self.log.read()}", pytrace=False)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.log.close()

    def url(self, site, path="/"):
        return f"http://{site}.localhost:{self.port}{path}"

    @property
    def api(self):
        return f"http://localhost:{self.port}"

    def ask(self, path, body=None, key=None, method=None):
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def settings(self, site):
        """A site's own `config.json`."""
        # Asked by name in the header: not every system finds names below `localhost`.
        headers = {"Host": f"{site}.localhost:{self.port}"}
        request = urllib.request.Request(self.api + "/config.json", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def code(self, email):
        """The newest code that was mailed to an address; None before there is one."""
        for mail in self.ask("/outbox.json"):
            found = re.search(r"\b\d{6}\b", mail["text"])
            if mail["to"] == email.lower() and found:
                return found[0]
        return None

    def hatch(self, name, email):
        """A duckling, hatched by the API."""
        body = {"email": email, "password": PASSWORD, "display_name": name, "captcha_token": "x"}
        self.ask("/beak/hatch", body)
        return self.ask("/beak/verify", {"email": email, "code": self.code(email)})

    def bond(self, one, other):
        """A peck from one side, approved by the other."""
        body = {"target_duckling_id": other["duckling_id"], "peck_type": "data.read"}
        peck = self.ask("/beak/peck", body, one["beak_key"])
        self.ask("/beak/approve", {"peck_id": peck["peck_id"]}, other["beak_key"])
        return peck["peck_id"]

    def operator(self):
        """Address and password of the first operator."""
        return (pathlib.Path(self.data) / "operator.txt").read_text().split()

    def ask_as_operator(self, path):
        email, password = self.operator()
        tokens = self.ask("/beak/signin", {"email": email, "password": password})
        return self.ask(path, key=tokens["access_token"])


@pytest.fixture(scope="session")
def galaxy(tmp_path_factory):
    galaxy = Galaxy(tmp_path_factory.mktemp("galaxy"))
    yield galaxy
    galaxy.stop()


@pytest.fixture
def own_galaxy(tmp_path):
    """A galaxy that a test may stop."""
    galaxy = Galaxy(tmp_path / "galaxy")
    yield galaxy
    galaxy.stop()


@pytest.fixture(scope="session")
def chromium():
    if not os.path.exists(CHROMIUM):
        pytest.fail(f"{CHROMIUM} is missing: run `cargo xtask setup` as root", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


class Watch:
    """What pages did that no page of ours may do."""

    def __init__(self):
        self.faults, self.expected = [], []

    def expect(self, pattern):
        self.expected.append(re.compile(pattern))

    def seen(self, fault):
        if not any(pattern.search(fault) for pattern in self.expected):
            self.faults.append(fault)

    def follow(self, page):
        page.on("console", self.console)
        page.on("pageerror", lambda error: self.seen(f"{page.url}: {error}"))
        page.on("request", self.request)

    def console(self, message):
        if message.type in ("error", "warning"):
            self.seen(f"{message.location.get('url')}: {message.text}")

    def request(self, request):
        if not re.match(r"(http://([\w-]+\.)?localhost:\d+/|data:|blob:)", request.url):
            self.seen(f"a request to a stranger: {request.url}")


@pytest.fixture
def watch():
    watch = Watch()
    yield watch
    assert watch.faults == []


@pytest.fixture
def visit(chromium, watch):
    """Opens an address in a browser of its own and gives the page."""
    contexts = []

    def visit(url, width=1280, height=900, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", **options
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        context.on("page", watch.follow)
        page = context.new_page()
        page.goto(url)
        return page

    yield visit
    for context in contexts:
        context.close()
