"""A real galaxy for the tests, and both kinds of client behind one face."""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import os
import re
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from relay import Relay

import spaceduck

ROOT = Path(__file__).parents[3]
PASSWORD = "securepassword123"
CAPTCHA = "YOUR_TURNSTILE_TOKEN"
_numbers = itertools.count(1)


class Home:
    """A local galaxy of the real program, on a port and in a folder of its own."""

    def __init__(self, data: Path, *flags: str) -> None:
        program = os.environ.get("BEAK_LOCAL", str(ROOT / "target/debug/beak-local"))
        if not Path(program).exists():
            pytest.fail(f"`{program}` is missing; `cargo build -p beak-local` makes it")
        self.data = data
        self.http = httpx.Client(trust_env=False)
        self.process = subprocess.Popen(
            [program, "--port", "0", "--data", str(data), *flags],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        said = ""
        for line in self.process.stdout:
            said += line
            if found := re.search(r"API +(http://localhost:\d+)/beak\n", said):
                self.base = found[1]
            if "Ctrl-C" in line:
                return
        pytest.fail(f"the galaxy ended: {said}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        assert self.process.stdout
        self.process.stdout.close()
        self.http.close()

    def code(self, email: str, *, mails: int = 1) -> str:
        """The code of the newest mail to this address, when there are so many."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            outbox = self.http.get(f"{self.base}/outbox.json").json()
            texts = [mail["text"] for mail in outbox if mail["to"] == email]
            if len(texts) >= mails and (found := re.search(r"\b\d{6}\b", texts[0])):
                return found[0]
        pytest.fail(f"no code came to {email}")

    def hatch(self, name: str = "Duck") -> spaceduck.Hatched:
        email = a_mail()
        spaceduck.hatch(email, PASSWORD, name, CAPTCHA, api_base=self.base)
        return spaceduck.verify(email, self.code(email), api_base=self.base)

    def operator(self) -> tuple[str, str]:
        """Address and password of the first operator."""
        email, password = (self.data / "operator.txt").read_text().split()
        return email, password


def totp(secret: str, *, steps: int = 0) -> str:
    """The code of an authenticator app, RFC 6238; each is good once, and one step ahead will do."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    count = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(key, count, "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def a_mail() -> str:
    return f"agent{next(_numbers)}@example.com"


class Awaited:
    """An asynchronous client that is used like the other one."""

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._client, self._loop = client, loop

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)
        if not callable(member):
            return member

        def call(*arguments: Any, **named: Any) -> Any:
            result = member(*arguments, **named)
            if isinstance(result, spaceduck.AsyncListing):
                return self._loop.run_until_complete(_all(result))
            done = self._loop.run_until_complete(result)
            return Awaited(done, self._loop) if isinstance(done, spaceduck.AsyncPerson) else done

        return call

    def __repr__(self) -> str:
        return repr(self._client)

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())


async def _all(listing: spaceduck.AsyncListing[Any]) -> list[Any]:
    return [item async for item in listing]


class Clients:
    """Makes clients of one kind: those that wait, or those of `asyncio`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._made: list[Any] = []
        self._loop = asyncio.new_event_loop()

    def galaxy(self, base: str, **options: Any) -> Any:
        if self.kind == "sync":
            return self.keep(spaceduck.Galaxy(base, **options))
        return self.keep(Awaited(spaceduck.AsyncGalaxy(base, **options), self._loop))

    def duck(self, key: str, base: str, **options: Any) -> Any:
        if self.kind == "sync":
            return self.keep(spaceduck.Duck(key, base, **options))
        return self.keep(Awaited(spaceduck.AsyncDuck(key, base, **options), self._loop))

    def hatched(self, home: Home, name: str = "Duck", **options: Any) -> Any:
        return self.duck(home.hatch(name).beak_key, home.base, **options)

    def person(self, base: str, email: str, password: str, **how: Any) -> Any:
        return self.keep(self.galaxy(base).sign_in(email, password, **how))

    def operator(self, home: Home) -> Any:
        return self.person(home.base, *home.operator())

    def keep(self, client: Any) -> Any:
        self._made.append(client)
        return client

    def close(self) -> None:
        for client in self._made:
            client.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A galaxy that counts no calls."""
    home = Home(tmp_path_factory.mktemp("galaxy") / "data", "--no-limits")
    yield home
    home.stop()


@pytest.fixture(scope="session")
def other_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Another galaxy, which does count."""
    home = Home(tmp_path_factory.mktemp("other") / "data")
    yield home
    home.stop()


@pytest.fixture(params=["sync", "async"])
def clients(request: pytest.FixtureRequest) -> Iterator[Clients]:
    clients = Clients(request.param)
    yield clients
    clients.close()


@pytest.fixture
def relay(home: Home) -> Iterator[Relay]:
    """Something between the client and the galaxy that misbehaves."""
    relay = Relay(home.base)
    yield relay
    relay.stop()
