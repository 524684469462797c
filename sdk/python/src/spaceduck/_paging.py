"""Lists that come in parts, as iterators that fetch the next part when it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ._errors import UnexpectedAnswerError, text
from ._model import M, read

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list; `next_cursor` is where the next one starts."""

    items: tuple[T, ...]
    next_cursor: str | None


class Listing(Generic[T]):
    """A list. Each `for` over it starts from the beginning."""

    def __init__(self, fetch: Callable[[str | None], Page[T]]) -> None:
        self._fetch = fetch

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def pages(self, cursor: str | None = None) -> Iterator[Page[T]]:
        """The same in parts, from a cursor on that was kept."""
        while True:
            page = self._fetch(cursor)
            _leads_on(page, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return


class AsyncListing(Generic[T]):
    """A list. Each `async for` over it starts from the beginning."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self, cursor: str | None = None) -> AsyncIterator[Page[T]]:
        """The same in parts, from a cursor on that was kept."""
        while True:
            page = await self._fetch(cursor)
            _leads_on(page, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return


def _leads_on(page: Page[T], cursor: str | None) -> None:
    if cursor is not None and page.next_cursor == cursor:
        raise UnexpectedAnswerError("the list leads back to where it came from; it would not end")


def read_page(field: str, model: type[M], data: Any) -> Page[M]:
    """Reads a part of a list."""
    if not isinstance(data, dict) or not isinstance(data.get(field), list):
        raise UnexpectedAnswerError(f"the answer has no list `{field}`")
    items = tuple(read(model, each) for each in data[field])
    return Page(items, text(data.get("next_cursor")))
