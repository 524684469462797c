"""The answers as this package knows them, held to the galaxy's own document."""

from __future__ import annotations

import json
import types
import typing
from datetime import datetime
from typing import Any

import pytest
from conftest import ROOT, Clients, Home

from spaceduck import _calls, _models
from spaceduck._model import Model

DOCUMENT: dict[str, Any] = json.loads((ROOT / "crates/beak-api/openapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

#: Our names for theirs.
MODELS = {
    "CertificateSeen": _models.Certificate,
    "Duck": _models.PublicDuck,
    "EggLaid": _models.EggLaid,
    "EventSeen": _models.Event,
    "Exported": _models.Export,
    "Hatched": _models.Hatched,
    "Judged": _models.Judgement,
    "Mailed": _models.Mailed,
    "Me": _models.Me,
    "Metrics": _models.Metrics,
    "Party": _models.Party,
    "PeckApproved": _models.PeckApproved,
    "PeckAsked": _models.PeckAsked,
    "PeckCounts": _models.PeckCounts,
    "PeckSeen": _models.Peck,
    "Rotated": _models.Rotated,
    "Status": _models.Status,
    "SystemStatus": _models.SystemStatus,
    "TierRequestSeen": _models.TierRequest,
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
        if of.get("description", "").startswith("For operators"):
            # This package is not for those.
            continue
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


def test_every_call_of_a_key_has_a_method() -> None:
    ours = {
        (call.method.lower(), f"/beak{call.path}")
        for call in (
            _calls.metrics(),
            _calls.status(),
            _calls.jwks(),
            _calls.hatch("", "", "", ""),
            _calls.verify("", ""),
            _calls.resend(""),
            _calls.get_certificate("{cert_id}"),
            _calls.check_certificate(""),
            _calls.me(),
            _calls.rename(""),
            _calls.export(),
            _calls.delete(),
            _calls.rotate_key(),
            _calls.pulse(),
            _calls.certificate(),
            _calls.request_tier(""),
            _calls.peck("", "", "", None),
            _calls.get_duck("{duckling_id}"),
            _calls.block(""),
            _calls.unblock("{duckling_id}"),
            _calls.get_peck("{peck_id}"),
            _calls.approve(""),
            _calls.deny(""),
            _calls.unpeck(""),
            _calls.pecks("in", None, None, None),
            _calls.audit(None, None),
        )
    }
    ours = {(method, path.replace("%7B", "{").replace("%7D", "}")) for method, path in ours}
    of_keys = {
        (method, path)
        for path, methods in DOCUMENT["paths"].items()
        for method, call in methods.items()
        if {"beakKey": []} in call.get("security", [])
    }
    assert of_keys <= ours
    assert ours <= {(m, path) for path, methods in DOCUMENT["paths"].items() for m in methods}


def test_the_galaxy_serves_the_document_that_this_is_held_to(clients: Clients, home: Home) -> None:
    import httpx

    served = httpx.get(f"{home.base}/beak/openapi.json").json()
    assert served["components"] == DOCUMENT["components"]
    assert served["paths"] == DOCUMENT["paths"]
