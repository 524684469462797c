"""Stands between a client and the real galaxy, and misbehaves as it is told."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx


@dataclass(frozen=True)
class Seen:
    """A call as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


#: What is done with a call: with the call itself, and a way to the real galaxy.
Mischief = Callable[["Handler", Seen], None]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    relay: Relay

    def answer_anything(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self.rfile.read(length))
        self.relay.seen.append(seen)
        mischief = self.relay.mischiefs.pop(0) if self.relay.mischiefs else honest
        mischief(self, seen)

    do_GET = do_POST = do_PATCH = do_DELETE = answer_anything  # noqa: N815

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def forward(self, seen: Seen, drop: str = "", **given: str) -> httpx.Response:
        """What the real galaxy says."""
        hop = {"host", "connection", "content-length", "accept-encoding", drop}
        headers = {name: value for name, value in seen.headers.items() if name not in hop} | given
        url = self.relay.target + seen.path
        return self.relay.http.request(seen.method, url, headers=headers, content=seen.body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


def honest(handler: Handler, seen: Seen) -> None:
    """Passes everything on."""
    answer = handler.forward(seen)
    kept = ("content-type", "retry-after", "www-authenticate", "ratelimit")
    headers = {name: answer.headers[name] for name in kept if name in answer.headers}
    handler.send(answer.status_code, headers, answer.content)


def drops_the_call(handler: Handler, seen: Seen) -> None:
    """The galaxy never hears of it."""
    handler.hang_up()


def drops_the_answer(handler: Handler, seen: Seen) -> None:
    """The galaxy does it, and nobody hears of that."""
    handler.forward(seen)
    handler.hang_up()


def cuts_the_answer(handler: Handler, seen: Seen) -> None:
    """The first half of what the galaxy says."""
    body = handler.forward(seen).content
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.hang_up()


def says_nothing(handler: Handler, seen: Seen) -> None:
    """Leaves the caller waiting."""
    handler.relay.over.wait()
    handler.close_connection = True


def drips(handler: Handler, seen: Seen) -> None:
    """A byte now and then, so that no single one is late."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "100000")
    handler.end_headers()
    handler.close_connection = True
    try:
        # Not for ever, so that a client that does not give up is seen to be one.
        for _ in range(150):
            if handler.relay.over.wait(0.02):
                break
            handler.wfile.write(b" ")
            handler.wfile.flush()
    except OSError:
        pass


def answers(
    status: int, body: bytes | str | Mapping[str, Any] | list[Any], **headers: str
) -> Mischief:
    """Says this, and asks nobody."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/json"
    if isinstance(body, str):
        content, kind = body.encode(), "text/html; charset=utf-8"
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def mischief(handler: Handler, seen: Seen) -> None:
        handler.send(status, {"content-type": kind, **named}, content)

    return mischief


def changes(edit: Callable[[dict[str, Any]], object]) -> Mischief:
    """Says what the galaxy says, with something changed."""

    def mischief(handler: Handler, seen: Seen) -> None:
        answer = handler.forward(seen)
        data = answer.json()
        edit(data)
        content = json.dumps(data).encode()
        handler.send(answer.status_code, {"content-type": "application/json"}, content)

    return mischief


def loses(header: str) -> Mischief:
    """Passes the call on without one of its headers."""

    def mischief(handler: Handler, seen: Seen) -> None:
        answer = handler.forward(seen, drop=header)
        handler.send(answer.status_code, {"content-type": "application/json"}, answer.content)

    return mischief


def behind_a_stage(handler: Handler, seen: Seen) -> None:
    """As API Gateway does it: the stage is a part of the address, and the galaxy is below it."""
    stage, rest = seen.path[:5], seen.path[5:]
    assert stage == "/prod"
    honest(handler, dataclasses.replace(seen, path=rest))


def asks_for(host: str) -> Mischief:
    """Passes the call on as one for another name."""

    def mischief(handler: Handler, seen: Seen) -> None:
        answer = handler.forward(seen, host=host)
        names = ("content-type", "location")
        headers = {name: answer.headers[name] for name in names if name in answer.headers}
        handler.send(answer.status_code, headers, answer.content)

    return mischief


class Relay:
    """A server on this machine, in front of the galaxy."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.seen: list[Seen] = []
        self.mischiefs: list[Mischief] = []
        self.over = threading.Event()
        self.http = httpx.Client(trust_env=False)
        handler = type("Bound", (Handler,), {"relay": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def does(self, *mischiefs: Mischief) -> None:
        """What is done with the next calls; after these all is honest again."""
        self.seen.clear()
        self.mischiefs[:] = mischiefs

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.http.close()
