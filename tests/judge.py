"""Judges requests by the service models that AWS publishes with its own SDK for Python.

Reads a JSON list of requests from standard input: method, uri, headers (lower case), body as text.
A request has to be an operation that the service knows; every parameter one that the operation
knows; those that it requires there; every value of the right type, within its length, and, where
the model lists values, one of them. Prints a JSON list: for each request its service and operation,
what it asked with, and what is wrong with it.
"""

import functools
import json
import re
import sys
import urllib.parse
from typing import Any
from xml.etree import ElementTree

import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.validate import ParamValidator

# What signatures call a service, where its model has another name.
MODELS = {
    "monitoring": "cloudwatch",
    "ses": "sesv2",
    "tagging": "resourcegroupstaggingapi",
    "servicequotas": "service-quotas",
}
SESSION = botocore.session.get_session()


@functools.cache
def model_of(signed_for):
    return SESSION.get_service_model(MODELS.get(signed_for, signed_for))


def scalar(shape, text):
    """A parameter that was sent as text, as its type wants it; as it is where it does not fit."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if shape.type_name in ("integer", "long") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if shape.type_name == "blob":
        return text.encode()
    return text


def from_form(shape, fields, prefix):
    """The parameter behind `prefix` in a form of the query protocol."""
    below = [name for name in fields if name == prefix or name.startswith(prefix + ".")]
    if shape.type_name == "structure":
        found, dot = {}, prefix + "." if prefix else ""
        names = {name[len(dot) :].split(".")[0] for name in fields if name.startswith(dot)}
        for name in names - {"Action", "Version"}:
            member = shape.members.get(name)
            found[name] = from_form(member, fields, dot + name) if member else "?"
        return found
    if shape.type_name == "list":
        if fields.get(prefix) == "":
            return []
        items = prefix + ".member."
        numbers = sorted({int(n[len(items) :].split(".")[0]) for n in below})
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        return [from_form(shape.member, fields, f"{items}{number}") for number in numbers]
    if shape.type_name == "map":
        entries = prefix + ".entry."
        numbers = sorted({int(n[len(entries) :].split(".")[0]) for n in below})
        return {
            fields[f"{entries}{number}.key"]: from_form(
                shape.value, fields, f"{entries}{number}.value"
            )
            for number in numbers
        }
    return scalar(shape, fields[prefix])


def from_xml(shape, element):
    if shape.type_name == "structure":
        found: dict[str, Any] = {}
        names = {m.serialization.get("name", n): (n, m) for n, m in shape.members.items()}
        for child in element:
            tag = child.tag.split("}")[-1]
            name, member = names.get(tag, (tag, None))
            if member is None:
                found[name] = "?"
            elif member.type_name == "list" and member.serialization.get("flattened"):
                found.setdefault(name, []).append(from_xml(member.member, child))
            else:
                found[name] = from_xml(member, child)
        return found
    if shape.type_name == "list":
        return [from_xml(shape.member, child) for child in element]
    return scalar(shape, element.text or "")


def from_json(shape, value):
    """JSON as it is; only bytes and times travel as something else."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {m.serialization.get("name", n): n for n, m in shape.members.items()}
        return {
            members.get(name, name): from_json(shape.members.get(members.get(name, name)), item)
            for name, item in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [from_json(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: from_json(shape.value, item) for key, item in value.items()}
    if shape.type_name == "blob" and isinstance(value, str):
        return value.encode()
    return value


def rest_operation(model, request):
    """The operation whose address this is, and the parameters in the address."""
    path, _, query = request["uri"].partition("?")
    path = re.sub(r"^https?://[^/]+", "", path)
    asked = urllib.parse.parse_qs(query, keep_blank_values=True)
    best = None
    for name in model.operation_names:
        operation = model.operation_model(name)
        wanted, _, flags = operation.http["requestUri"].partition("?")
        wanted = wanted.rstrip("/")
        fixed = urllib.parse.parse_qs(flags, keep_blank_values=True)
        pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(wanted))
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
        match = re.fullmatch(pattern + "/?", path)
        if match is None or operation.http["method"] != request["method"]:
            continue
        if any(asked.get(flag) != value for flag, value in fixed.items()):
            continue
        said = asked.get("x-id", [name]) == [name]
        members = operation.input_shape.members.values() if operation.input_shape else []
        known = {m.serialization.get("name") for m in members} | set(fixed) | {"x-id"}
        # Several share an address; the right one knows all that is asked, and says most of it.
        score = (said, set(asked) <= known, len(fixed), len(wanted.replace("+", "")))
        if best is None or score > best[0]:
            best = (score, operation, match.groupdict(), asked, set(fixed) | {"x-id"})
    return best and best[1:]


def from_rest(model, request):  # noqa: C901 - each place of a value has its branch
    found = rest_operation(model, request)
    if found is None:
        return None, {}
    operation, in_path, asked, fixed = found
    shape, sent = operation.input_shape, set()
    params: dict[str, Any] = {}
    if shape is None:
        return operation, params
    for name, member in shape.members.items():
        key, place = member.serialization.get("name", name), member.serialization.get("location")
        if place == "uri":
            params[name] = scalar(member, urllib.parse.unquote(in_path[key]))
        elif place == "querystring" and key in asked:
            sent.add(key)
            params[name] = scalar(member, asked[key][0])
        elif place == "header" and key.lower() in request["headers"]:
            params[name] = scalar(member, request["headers"][key.lower()])
    params |= dict.fromkeys(set(asked) - sent - fixed, "?")
    payload, body = shape.serialization.get("payload"), request["body"]
    if payload and shape.members[payload].type_name == "blob":
        params[payload] = body.encode()
    elif body and payload is None and model.metadata["protocol"] == "rest-xml":
        params |= from_xml(shape, ElementTree.fromstring(body))
    elif body and model.metadata["protocol"] == "rest-xml":
        params[payload] = from_xml(shape.members[payload], ElementTree.fromstring(body))
    elif body:
        params |= from_json(shape, json.loads(body))
    return operation, params


def read(request):
    """The operation and its parameters."""
    headers = request["headers"]
    scope = headers["authorization"].split("Credential=")[1].split(",")[0]
    model = model_of(scope.split("/")[-2])
    if "x-amz-target" in headers:
        prefix, _, name = headers["x-amz-target"].rpartition(".")
        assert prefix == model.metadata["targetPrefix"], prefix
        operation = model.operation_model(name) if name in model.operation_names else None
        shape = operation.input_shape if operation else None
        return model, operation, from_json(shape, json.loads(request["body"]))
    if model.metadata["protocol"] == "query":
        pairs = urllib.parse.parse_qsl(request["body"], keep_blank_values=True)
        fields = dict(pairs)
        assert len(fields) == len(pairs), "the same field twice"
        name = fields["Action"]
        operation = model.operation_model(name) if name in model.operation_names else None
        shape = operation.input_shape if operation else None
        return model, operation, from_form(shape, fields, "") if shape else {}
    return model, *from_rest(model, request)


def beyond(shape, value, where):
    """Values that the model does not list, and names longer than it allows."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, item in value.items():
            if name in shape.members:
                yield from beyond(shape.members[name], item, f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from beyond(shape.member, item, where)
    elif isinstance(value, str):
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{where}: {value!r} is none of {', '.join(shape.enum)}"
        most = shape.metadata.get("max")
        if most is not None and len(value) > most:
            yield f"{where}: {len(value)} characters, {most} are allowed"


def routes(name):
    """Service as it signs, method, address and name of each operation of a service."""
    model = SESSION.get_service_model(name)
    for operation in map(model.operation_model, model.operation_names):
        http = operation.http
        yield f"{model.signing_name} {http['method']} {http['requestUri']} {operation.name}"


def errors(name):
    """Operation → code → HTTP status of each error that a service's model lists."""
    model = SESSION.get_service_model(name)
    for operation in map(model.operation_model, model.operation_names):
        listed = operation.error_shapes
        yield (
            operation.name,
            {e.error_code: e.metadata.get("error", {}).get("httpStatusCode", 400) for e in listed},
        )


def addresses(name):
    """Where a service answers, by Region, FIPS and dual stack, and the Region of its signatures."""
    loader = SESSION.get_component("data_loader")
    rules = loader.load_service_model(name, "endpoint-rule-set-1")
    provider = EndpointProvider(rules, loader.load_data("partitions"))
    for region in ("eu-central-1", "us-east-1", "ap-southeast-5"):
        for fips in (False, True):
            for dual in (False, True):
                asked = {"Region": region, "UseFIPS": fips, "UseDualStack": dual}
                # Certificate Manager has a second service behind the same name.
                found = provider.resolve_endpoint(**asked, ServiceType="ACM")
                schemes = found.properties.get("authSchemes", [{}])
                signed_for = schemes[0].get("signingRegion", region)
                yield [region, fips, dual, found.url, signed_for]


def judge(request):
    model, operation, params = read(request)
    if operation is None:
        return {"service": model.service_name, "operation": None, "wrong": ["no such operation"]}
    wrong = []
    if operation.input_shape is not None:
        shape = operation.input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            wrong.append(report.generate_report())
        wrong += beyond(shape, params, operation.name)
    shown = json.loads(json.dumps(params, default=lambda value: value.decode(errors="replace")))
    return {
        "service": model.service_name,
        "operation": operation.name,
        "params": shown,
        "wrong": wrong,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["values"]:
        print(json.dumps(model_of(sys.argv[2]).shape_for(sys.argv[3]).enum))
        sys.exit()
    if sys.argv[1:2] == ["errors"]:
        print(json.dumps(dict(errors(sys.argv[2]))))
        sys.exit()
    if sys.argv[1:2] == ["addresses"]:
        model = model_of(sys.argv[2])
        told = list(addresses(model.service_name))
        known = {"id": model.service_id, "target": model.metadata.get("targetPrefix")}
        known |= {"version": model.api_version, "addresses": told}
        print(json.dumps(known))
        sys.exit()
    if sys.argv[1:2] == ["routes"]:
        print(json.dumps(sorted(line for name in sys.argv[2:] for line in routes(name))))
        sys.exit()
    print(json.dumps([judge(request) for request in json.load(sys.stdin)]))
