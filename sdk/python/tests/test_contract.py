"""The answers as this package knows them, held to the galaxy's own document."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest
from conftest import ROOT, Clients, Home

from spaceduck import _calls, _models
from spaceduck._model import Model

DOCUMENT: dict[str, Any] = json.loads((ROOT / "crates/beak-api/openapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

#: Our names for theirs.
MODELS = {
    "AlarmSeen": _models.Alarm,
    "CertificateSeen": _models.Certificate,
    "Challenge": _models.Challenge,
    "Decided": _models.Decided,
    "Duck": _models.PublicDuck,
    "EggLaid": _models.EggLaid,
    "EventSeen": _models.Event,
    "Exported": _models.Export,
    "Factor": _models.Totp,
    "FactorBegun": _models.TotpSecret,
    "FleetSeen": _models.Fleet,
    "Hatched": _models.Hatched,
    "Judged": _models.Judgement,
    "MailSeen": _models.MailState,
    "Mailed": _models.Mailed,
    "Me": _models.Me,
    "Metrics": _models.Metrics,
    "Party": _models.Party,
    "PeckApproved": _models.PeckApproved,
    "PeckAsked": _models.PeckAsked,
    "PeckCounts": _models.PeckCounts,
    "PeckSeen": _models.Peck,
    "RecoveryCodes": _models.RecoveryCodes,
    "Rotated": _models.Rotated,
    "SpaceDuck": _models.SpaceDuck,
    "Status": _models.Status,
    "SystemStatus": _models.SystemStatus,
    "TableSeen": _models.Table,
    "TierRequestSeen": _models.TierRequest,
    "Tokens": _models.Tokens,
}


def python(schema: dict[str, Any]) -> Any:
    """The type of a field, by its schema."""
    if "$ref" in schema:
        return MODELS[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        first, null = schema["anyOf"]
        assert null == {"type": "null"}
        return python(first) | None
    kind = schema["type"]
    if isinstance(kind, list):
        assert kind[1:] == ["null"]
        return python({**schema, "type": kind[0]}) | None
    if kind == "array":
        return tuple[python(schema["items"]), ...]  # type: ignore[misc]
    if schema.get("format") == "date-time":
        return datetime
    return {"string": str, "integer": int, "boolean": bool}[kind]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_fields_of_the_document(name: str) -> None:
    schema = SCHEMAS[name]
    required = set(schema.get("required", []))
    wanted = {}
    for field, of in schema["properties"].items():
        kind = python(of)
        is_sure = field in required or isinstance(kind, types.UnionType)
        wanted[field] = kind if is_sure else kind | None
    hints = typing.get_type_hints(MODELS[name])
    assert {field: kind for field, kind in hints.items() if not field.startswith("_")} == wanted


def test_every_model_is_held_to_something() -> None:
    models = {
        model
        for model in vars(_models).values()
        if isinstance(model, type) and issubclass(model, Model) and model is not Model
    }
    assert models - set(MODELS.values()) == {_models.Claims}
    assert not any(
        hasattr(Model, name)
        for model in models
        for name in typing.get_type_hints(model)
        if not name.startswith("_")
    )


#: Calls that no method makes, and why.
EXCEPTIONS = {
    ("get", "/beak/newsletter/confirm"): "a page for browsers",
    ("get", "/beak/newsletter/unsubscribe"): "a page for browsers",
}


def calls() -> dict[str, tuple[str, str]]:
    """The name of each call here, and what it asks for."""
    found = {}
    for name, make in inspect.getmembers(_calls, inspect.isfunction):
        if name.startswith("_") or make.__module__ != _calls.__name__:
            continue
        # An argument that is part of the path has the name that it has there.
        names = inspect.signature(make).parameters
        call = make(
            **{each: None if each == "idempotency_key" else f"{{{each}}}" for each in names}
        )
        found[name] = (call.method.lower(), f"/beak{unquote(call.path)}")
    return found


def test_every_call_of_the_document_is_here() -> None:
    theirs = {(m, path) for path, methods in DOCUMENT["paths"].items() for m in methods}
    assert theirs - set(EXCEPTIONS) == set(calls().values())
    assert set(EXCEPTIONS) <= theirs


@pytest.mark.parametrize("client", ["_sync.py", "_async.py"])
def test_every_call_has_a_method(client: str) -> None:
    source = (ROOT / "sdk/python/src/spaceduck" / client).read_text()
    assert set(re.findall(r"_calls\.(\w+)\(", source)) == set(calls())


def test_the_galaxy_serves_the_document_that_this_is_held_to(clients: Clients, home: Home) -> None:
    import httpx

    served = httpx.get(f"{home.base}/beak/openapi.json").json()
    assert served["components"] == DOCUMENT["components"]
    assert served["paths"] == DOCUMENT["paths"]
