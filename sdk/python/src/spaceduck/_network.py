"""How the network is reached: the proxy and the authorities that the environment names.

httpx reads the same variables, but its constructor raises errors of its own for what it can't read,
such as an IPv6 network in `NO_PROXY`. A client here talks to one host, so the proxy for that host
is chosen once, and a variable that can't be used is named.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import httpx

from ._address import is_this_machine
from ._errors import SpaceDuckError, UsageError

_NO_FOLDER = "there is no such folder"


def options(api_base: str) -> dict[str, Any]:
    """Arguments for a client of httpx that talks to this address."""
    chosen: dict[str, Any] = {"trust_env": False, "proxy": proxy(api_base)}
    if api_base.startswith("https:"):
        chosen["verify"] = authorities()
    return chosen


def build(kind: Any, api_base: str) -> Any:
    """A client of httpx, sync or async; what it can't do is said in our words."""
    problem: SpaceDuckError
    chosen = options(api_base)
    try:
        return kind(**chosen)
    except ImportError:
        problem = UsageError(
            "the proxy for this address is a SOCKS proxy, and httpx has no support for it here; "
            'install "httpx[socks]", or name an HTTP proxy in HTTPS_PROXY or ALL_PROXY'
        )
    except Exception as error:  # The constructor documents none.
        problem = UsageError(
            f"the HTTP client can't be set up with this environment ({type(error).__name__}); "
            "check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, SSL_CERT_FILE, SSL_CERT_DIR and "
            "SSLKEYLOGFILE"
        )
    raise problem


def setting(name: str) -> str:
    """A variable of the environment; empty and blank are unset."""
    return os.environ.get(name, "").strip()


def authorities() -> ssl.SSLContext | bool:
    """The authorities in `SSL_CERT_FILE` and `SSL_CERT_DIR`, else those that httpx brings."""
    file, folder = setting("SSL_CERT_FILE"), setting("SSL_CERT_DIR")
    if not file and not folder:
        return True
    name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
    if folder and not os.path.isdir(folder):
        raise UsageError(f"SSL_CERT_DIR can't be used: {_NO_FOLDER}; correct or unset it")
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except ssl.SSLError:
        # Its text names a line of C.
        why = "there are no certificates in it"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        # Every context opens this file, too.
        if getattr(error, "filename", None) == os.environ.get("SSLKEYLOGFILE", ""):
            name = "SSLKEYLOGFILE"
    raise UsageError(f"{name} can't be used: {why}; correct or unset it")


def proxy(api_base: str) -> httpx.Proxy | None:
    """The proxy for an address, by the variables that curl and httpx read."""
    parts = urlsplit(api_base)
    host, port = parts.hostname or "", parts.port
    # Nothing that stays on this machine, least of all a key, goes over a proxy.
    if is_this_machine(api_base):
        return None
    found = {name: text.strip() for name, text in urllib.request.getproxies().items()}
    if is_bypassed(host, port, found.get("no", "")):
        return None
    address = found.get(parts.scheme) or found.get("all") or ""
    if not address:
        return None
    name = f"{parts.scheme.upper()}_PROXY" if found.get(parts.scheme) else "ALL_PROXY"
    try:
        if address.isprintable() and " " not in address:
            chosen = httpx.Proxy(address if "://" in address else f"http://{address}")
            if chosen.url.host:
                return chosen
    except (ValueError, httpx.InvalidURL):
        pass
    # Not shown: there may be a password in it.
    raise UsageError(
        f"{name} is not the address of a proxy; write it like `http://proxy.example.com:3128`, or "
        "unset it"
    )


def is_bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether `NO_PROXY` names a host: by name or suffix, address, or network of either family."""
    entries = no_proxy.replace(",", " ").split()
    return any(_names(entry.lower(), host.lower(), port) for entry in entries)


def _names(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None:
        try:
            return address in ipaddress.ip_network(_bare(entry), strict=False)
        except ValueError:
            pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isascii() and wanted.isdigit() and (":" not in name or name[-1:] == "]"):
        return port == int(wanted) and _names(name, host, port)
    suffix = entry.removeprefix("*").lstrip(".")
    return bool(suffix) and (host == suffix or host.endswith("." + suffix))


def _bare(text: str) -> str:
    """`[::1]` without its brackets; the length of a prefix may follow them, and no port."""
    inside, bracket, rest = text[1:].partition("]")
    if not text.startswith("[") or not bracket:
        return text
    return inside + rest if not rest.startswith(":") else text


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
