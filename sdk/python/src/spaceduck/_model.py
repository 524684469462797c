"""How answers are read: typed attributes over the JSON as it came.

An answer is also a mapping of that JSON, as in `metrics['total_ducklings']`. A field that a newer
galaxy adds is there by its name; one that an older galaxy lacks is missed only when it is used.
"""

from __future__ import annotations

import contextlib
import re
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar

from ._errors import MissingFieldError, UnexpectedAnswerError

M = TypeVar("M", bound="Model")

#: RFC 3339, section 5.6, as galaxies write it.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Model(Mapping[str, Any]):
    """An answer: read it by attribute (typed) or by key (as the JSON has it)."""

    #: Fields that `repr` must not show.
    _hidden: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, data: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_data", dict(data))
        for name, hint in _hints(type(self)).items():
            if name in data:
                object.__setattr__(self, name, _convert(hint, data[name], name))
            elif _is_optional(hint):
                object.__setattr__(self, name, None)

    if not TYPE_CHECKING:
        # Or a type checker would take every name for one that is there.
        def __getattr__(self, name: str) -> NoReturn:
            # Only reached by what `__init__` did not set.
            if name in _hints(type(self)):
                raise MissingFieldError(
                    f"the answer has no `{name}`: this galaxy is older than this package"
                )
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an answer can't be changed (`{name}`)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an answer can't be changed (`{name}`)")

    def __getitem__(self, key: str) -> Any:
        return self._mapping()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._mapping())

    def __len__(self) -> int:
        return len(self._mapping())

    def __eq__(self, other: object) -> bool:
        return dict(self) == dict(other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[type[Model], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)

    def __repr__(self) -> str:
        known = _hints(type(self))
        shown = (
            f"{name}={self._shown(getattr(self, name) if name in known else value, name)}"
            for name, value in self._mapping().items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"

    def _shown(self, value: object, name: str) -> str:
        return "…" if name in self._hidden else repr(value)

    def _mapping(self) -> dict[str, Any]:
        # Asked for in this way because `__getattr__` would be asked on a half-made object.
        mapping: dict[str, Any] = object.__getattribute__(self, "_data")
        return mapping


def read(model: type[M], data: object) -> M:
    """Reads an answer that has to be a JSON object."""
    if not isinstance(data, dict):
        raise UnexpectedAnswerError(f"the answer is no JSON object but {_kind(data)}")
    if not data.keys() & _hints(model).keys():
        raise UnexpectedAnswerError("the answer is not the Beak's: it has none of the known fields")
    return model(data)


@cache
def _hints(model: type[Model]) -> dict[str, Any]:
    hints = typing.get_type_hints(model)
    return {name: hint for name, hint in hints.items() if not name.startswith("_")}


def _is_optional(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)


def _convert(hint: Any, value: object, name: str) -> object:
    if _is_optional(hint):
        if value is None:
            return None
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _wrong(name, "a list", value)
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, each, name) for each in value)
    if hint is datetime:
        return _moment(value, name)
    if issubclass(hint, Model):
        if not isinstance(value, dict):
            raise _wrong(name, "an object", value)
        return hint(value)
    # A boolean is an integer to Python, not to JSON.
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise _wrong(name, hint.__name__, value)
    return value


def _moment(value: object, name: str) -> datetime:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found:
        # Python 3.10 reads neither `Z` nor nanoseconds.
        second, fraction, zone = found.groups(default="")
        fraction, zone = fraction[:6].ljust(6, "0"), zone.replace("Z", "+00:00")
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(f"{second}.{fraction}{zone}")
    raise _wrong(name, "a time of RFC 3339", value)


def _wrong(name: str, wanted: str, value: object) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"`{name}` of the answer is {_kind(value)} and not {wanted}")


def _kind(value: object) -> str:
    # Never the value itself: it may be a secret.
    names = {"dict": "an object", "list": "a list", "NoneType": "null"}
    name = type(value).__name__
    return names.get(name, name)
