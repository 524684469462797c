"""Where a galaxy is, and the key to it: read strictly, before anything is sent."""

from __future__ import annotations

import ipaddress
import zlib
from typing import NoReturn
from urllib.parse import SplitResult, quote, urlsplit

import httpx

from ._errors import UsageError

_PREFIX = "sd_bk_"
_SECRET, _CHECK = 43, 6
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Secret:
    """A text that can't be shown by accident: only `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


class AccessToken(Secret):
    """What a signed-in person shows to the galaxy."""

    __slots__ = ()


class BeakKey(Secret):
    """What a duckling's agent shows to the galaxy."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        # A variable that is not set would make calls without a key.
        if not isinstance(text, str):
            raise UsageError(f"the Beak Key is a text, not {type(text).__name__}; is it set?")
        text = text.strip()
        if not text:
            raise UsageError("the Beak Key is empty; is the variable or file set?")
        if not text.startswith(_PREFIX):
            raise UsageError(
                "this is no Beak Key: one starts with `sd_bk_`; `verify` gives it to a new duckling"
            )
        if not text.isascii() or not text.isprintable() or " " in text:
            raise UsageError("this is no Beak Key: there are other characters in it")
        super().__init__(text)

    def is_well_formed(self) -> bool:
        """Whether its length and its checksum are those of a Beak Key of today."""
        rest = self._text[len(_PREFIX) :]
        if len(rest) != _SECRET + _CHECK:
            return False
        number, check = zlib.crc32(rest[:_SECRET].encode()), ""
        for _ in range(_CHECK):
            number, digit = divmod(number, len(_ALPHABET))
            check = _ALPHABET[digit] + check
        return check == rest[_SECRET:]


def base(api_base: str, *, allow_plain_http: bool) -> str:
    """The address of a galaxy, without `/beak` and without a slash at its end."""
    if not isinstance(api_base, str):
        raise UsageError(f"`api_base` is a text, not {type(api_base).__name__}; is it set?")
    text = api_base.strip()
    shown = _shown(text)
    parts, host = _parts(text)
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(
            f"{shown} is not the address of an API; write it whole, such as "
            "`http://localhost:3825` or `https://….amazonaws.com/prod`"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            f"the address of the API has parts that it can't have ({shown}); write no user, no `?` "
            "and no `#`"
        )
    if parts.scheme == "http" and not allow_plain_http and not _is_this_machine(host):
        raise UsageError(
            f"{shown} would carry the Beak Key over the network for all to read; use https, or "
            "`allow_plain_http=True` in a private network"
        )
    path = parts.path.rstrip("/")
    # The address as `spaceduck local` prints it ends so.
    path = path.removesuffix("/beak").rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _parts(text: str) -> tuple[SplitResult, str]:
    """The parts, and the host if it can be one."""
    try:
        parts = urlsplit(text)
        if parts.port != 0 and not set(text) & set(" \t\r\n\\"):
            # What sends the calls has the last word on what an address is, and names have rules.
            host = httpx.URL(text).host
            host.encode("idna")
            return parts, host
    except (ValueError, httpx.InvalidURL):
        pass
    return urlsplit(""), ""


def is_this_machine(address: str) -> bool:
    """Whether an address leads nowhere else."""
    return _is_this_machine(urlsplit(address).hostname or "")


def segment(text: str) -> str:
    """A part of a path, whatever is in it."""
    if not isinstance(text, str):
        raise UsageError(f"an id is a text, not {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("an id has characters that no text has") from None
    # A segment of dots alone would be taken for a way up.
    return quote(text, safe="") if text.strip(".") else quote(text, safe="").replace(".", "%2E")


def _shown(text: str) -> str:
    # What stands before an `@` may be a password, and what has no scheme may be anything.
    return "this" if "@" in text or "sd_bk_" in text or not text else f"`{text[:100]}`"


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
