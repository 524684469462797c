"""Sends a call over HTTP and takes its answer: the one part that `asyncio` needs in other words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Any

import httpx

from ._call import Answer, Call
from ._errors import SpaceDuckError
from ._http import Body, Settings
from ._network import build


class Wire:
    """The connections of a client that waits."""

    def __init__(self, settings: Settings, http_client: httpx.Client | None) -> None:
        self._settings = settings
        self.is_ours = http_client is None
        self._process = os.getpid()
        self.http: httpx.Client = http_client or build(httpx.Client, settings.api_base)

    def close(self) -> None:
        """Closes the connections, unless the client of httpx was given."""
        if self.is_ours:
            self.http.close()

    def exchange(self, call: Call[Any]) -> Answer | SpaceDuckError:
        """Makes a call once."""
        body = Body(self._settings.timeout)
        try:
            with self._here().stream(**self._settings.request(call)) as response:
                for chunk in response.iter_bytes():
                    body.add(chunk)
                return body.of(response)
        except SpaceDuckError as error:
            return error
        except Exception as error:  # Whatever HTTP, TLS and JSON may raise.
            return self._settings.failed(call, error)

    def sleep(self, seconds: float) -> None:
        """Waits before the next try."""
        time.sleep(seconds)

    def _here(self) -> httpx.Client:
        """The client of this process: two that share a connection read each other's answers."""
        if self.is_ours and self._process != os.getpid():
            self._process = os.getpid()
            self.http = build(httpx.Client, self._settings.api_base)
        return self.http


class AsyncWire:
    """The connections of a client of `asyncio`."""

    def __init__(self, settings: Settings, http_client: httpx.AsyncClient | None) -> None:
        self._settings = settings
        self.is_ours = http_client is None
        self._home: tuple[int, asyncio.AbstractEventLoop] | None = None
        self.http: httpx.AsyncClient = http_client or build(httpx.AsyncClient, settings.api_base)

    async def aclose(self) -> None:
        """Closes the connections, unless the client of httpx was given."""
        if self.is_ours:
            # Connections of a loop that has ended are closed with it.
            with contextlib.suppress(RuntimeError):
                await self.http.aclose()

    async def exchange(self, call: Call[Any]) -> Answer | SpaceDuckError:
        """Makes a call once."""
        body = Body(self._settings.timeout)
        try:
            async with self._here().stream(**self._settings.request(call)) as response:
                async for chunk in response.aiter_bytes():
                    body.add(chunk)
                return body.of(response)
        except SpaceDuckError as error:
            return error
        except Exception as error:  # Whatever HTTP, TLS and JSON may raise.
            return self._settings.failed(call, error)

    async def sleep(self, seconds: float) -> None:
        """Waits before the next try."""
        await asyncio.sleep(seconds)

    def _here(self) -> httpx.AsyncClient:
        """The client of this event loop and process: connections belong to the loop they began in.

        So one `AsyncDuck` serves several `asyncio.run`, each with connections of its own.
        """
        here = (os.getpid(), asyncio.get_running_loop())
        if self.is_ours and self._home not in (None, here) and not self.http.is_closed:
            self.http = build(httpx.AsyncClient, self._settings.api_base)
        self._home = here
        return self.http
