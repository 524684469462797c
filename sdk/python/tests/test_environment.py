"""Every variable that httpx reads, and every process and loop: errors are always our own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Clients, Home

import spaceduck
from spaceduck._network import is_bypassed, proxy

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
OTHERS = ("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
#: What people have had in such variables.
VALUES = (
    "",
    "   ",
    "\r\n",
    "localhost,::1,fd00::/8",
    "10.0.0.0/8, *.internal , [::1]:8080",
    "::/0",
    "[fe80::",
    "http://",
    "http://proxy.example:3128\r\n",
    "proxy.example:3128",
    "proxy.example:port",
    "socks5://127.0.0.1:1080",
    "socks5h://127.0.0.1:1080",
    "foo://proxy.example",
    "http://user:p@ss@proxy.example:3128",
    "http://[::1",
    "http://ex\u00e4mple\u2028:1",
    "/does/not/exist.pem",
    "/dev/null",
    "/",
    "%zz",
    "a" * 5000,
)


def problem(make: Callable[[], Any]) -> spaceduck.SpaceDuckError | None:
    """The error, if it is one of ours; any other one ends the test."""
    try:
        make()
    except spaceduck.UsageError as error:
        return error
    return None


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", PROXIES + OTHERS)
@pytest.mark.parametrize("address", ["https://galaxy.invalid/prod", "https://[2001:db8::1]"])
def test_a_constructor_works_or_says_which_variable_is_wrong(
    name: str, value: str, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Python's own `ssl` makes the file that SSLKEYLOGFILE names.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    for make in (spaceduck.Galaxy, spaceduck.AsyncGalaxy):
        error = problem(lambda make=make: make(address))  # type: ignore[misc]
        assert error is None or value.strip(), "an empty variable is not set"
        assert "p@ss" not in str(error)


@pytest.mark.parametrize("name", PROXIES)
def test_a_call_never_raises_another_librarys_error(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in VALUES:
        monkeypatch.setenv(name, value)
        with contextlib.suppress(spaceduck.SpaceDuckError):
            spaceduck.Galaxy("http://galaxy.invalid", allow_plain_http=True, retries=0).metrics()


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "bypassed"),
    [
        ("fd00::1", None, "localhost,::1,fd00::/8", True),
        ("fe80::1", None, "localhost,::1,fd00::/8", False),
        ("10.1.2.3", None, "10.0.0.0/8", True),
        ("11.1.2.3", None, "10.0.0.0/8", False),
        ("10.1.2.3", 80, "10.1.2.3:80", True),
        ("10.1.2.3", 81, "10.1.2.3:80", False),
        ("::2", 80, "[::2]:80", True),
        ("a.example.org", None, "example.org", True),
        ("a.example.org", None, ".example.org", True),
        ("a.example.org", None, "*.example.org", True),
        ("badexample.org", None, "example.org", False),
        ("a.example.org", None, "EXAMPLE.ORG , b", True),
        ("a.example.org", 443, "example.org:443", True),
        ("a.example.org", 444, "example.org:443", False),
        ("a.example.org", None, "*", True),
        ("a.example.org", None, " , ,.", False),
    ],
)
def test_no_proxy(host: str, port: int | None, no_proxy: str, bypassed: bool) -> None:
    assert is_bypassed(host, port, no_proxy) is bypassed


def test_the_proxy_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", " proxy.example:3128\r\n")
    chosen = proxy("https://galaxy.example/prod")
    assert chosen is not None
    assert str(chosen.url).rstrip("/") == "http://proxy.example:3128"
    assert proxy("http://galaxy.example") is None
    assert proxy("https://localhost:8443") is None
    monkeypatch.setenv("no_proxy", "galaxy.example")
    assert proxy("https://galaxy.example/prod") is None


def test_an_authority_file_that_can_not_be_used(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate\n")
    for name, value in (
        ("SSL_CERT_FILE", str(empty)),
        ("SSL_CERT_FILE", str(tmp_path / "missing.pem")),
        ("SSL_CERT_DIR", str(tmp_path / "missing")),
    ):
        with monkeypatch.context() as patch:
            for other in OTHERS:
                patch.delenv(other, raising=False)
            patch.setenv(name, value)
            with pytest.raises(spaceduck.UsageError, match=name):
                spaceduck.Galaxy("https://galaxy.example")


@pytest.mark.parametrize(
    "use",
    [
        lambda: spaceduck.Galaxy(None),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy(b"http://localhost:1"),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy("http://localhost:1", timeout=-1),
        lambda: spaceduck.Galaxy("http://localhost:1", timeout=float("nan")),
        lambda: spaceduck.Galaxy("http://localhost:1", timeout="5"),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy("http://localhost:1", timeout=10**400),
        lambda: spaceduck.Galaxy("http://localhost:1", timeout=1e10),
        lambda: spaceduck.AsyncGalaxy("http://localhost:1", timeout=1e10),
        lambda: spaceduck.Galaxy("http://localhost:1", retries="2"),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy("http://localhost:1", retries=-1),
        lambda: spaceduck.Galaxy("http://localhost:1", retries=True),
        lambda: spaceduck.Retries(count=None),  # type: ignore[arg-type]
        lambda: spaceduck.Retries(count=1.5),  # type: ignore[arg-type]
        lambda: spaceduck.Retries(longest_wait=None),  # type: ignore[arg-type]
        lambda: spaceduck.Retries(longest_wait=float("nan")),
        lambda: spaceduck.Retries(first_wait="1"),  # type: ignore[arg-type]
        lambda: spaceduck.Retries(first_wait=-1),
        lambda: spaceduck.Duck(None, "http://localhost:1"),  # type: ignore[arg-type]
        lambda: spaceduck.Duck(b"sd_bk_x", "http://localhost:1"),  # type: ignore[arg-type]
        lambda: spaceduck.AsyncDuck(None, "http://localhost:1"),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy("http://localhost:1").get_certificate(None),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy("http://localhost:1").get_certificate("\ud800"),
        lambda: spaceduck.Galaxy("http://localhost:1").resend(b"a@b.c"),  # type: ignore[arg-type]
        lambda: spaceduck.Galaxy("http://localhost:1").resend(object()),  # type: ignore[arg-type]
        lambda: spaceduck.Duck("sd_bk_x", "http://localhost:1").peck(
            "a", "b", idempotency_key="\u20ac\n"
        ),
    ],
)
def test_arguments_of_another_kind(use: Callable[[], Any]) -> None:
    with pytest.raises(spaceduck.UsageError):
        use()


def test_a_client_that_was_closed(home: Home) -> None:
    galaxy = spaceduck.Galaxy(home.base)
    galaxy.close()
    with pytest.raises(spaceduck.UsageError, match="closed"):
        galaxy.metrics()
    theirs = httpx.Client()
    theirs.close()
    with pytest.raises(spaceduck.UsageError, match="closed"):
        spaceduck.Galaxy(home.base, http_client=theirs).metrics()


# Connections of a loop that has ended are left to the collector; nothing else can close them.
leftovers = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@leftovers
def test_one_async_client_in_several_loops(home: Home) -> None:
    duck = spaceduck.AsyncDuck(home.hatch().beak_key, home.base)
    names = {asyncio.run(duck.me()).duckling_id for _ in range(3)}
    assert len(names) == 1
    asyncio.run(duck.aclose())

    async def closed() -> None:
        with pytest.raises(spaceduck.UsageError, match="closed"):
            await duck.me()

    asyncio.run(closed())
    gc.collect()


@leftovers
def test_a_users_async_client_of_a_loop_that_ended(home: Home) -> None:
    theirs = httpx.AsyncClient(trust_env=False)
    galaxy = spaceduck.AsyncGalaxy(home.base, http_client=theirs)
    asyncio.run(galaxy.metrics())

    async def again() -> None:
        with contextlib.suppress(spaceduck.SpaceDuckError):
            await galaxy.metrics()

    asyncio.run(again())
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_does_not_share_its_parents_connection(home: Home) -> None:
    duck = spaceduck.Duck(home.hatch().beak_key, home.base)
    mine = duck.me().duckling_id
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        try:
            same = all(duck.me().duckling_id == mine for _ in range(5))
            theirs.sendall(b"y" if same else b"n")
        finally:
            os._exit(0)
    for _ in range(5):
        assert duck.me().duckling_id == mine
    os.waitpid(child, 0)
    duck.close()
    theirs.close()
    assert ours.recv(1) == b"y"
    ours.close()


def test_this_machine_is_reached_without_the_proxy(clients: Clients, home: Home) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in PROXIES:
            patch.setenv(name, "http://127.0.0.1:1")
        assert clients.galaxy(home.base).metrics()["total_ducklings"] >= 0
