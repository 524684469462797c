"""Holds requests to a service's own model, as AWS publishes it with botocore.

Reads JSON from stdin: a list of {service, operation, method, path, body}; prints one line for
every way in which a request is not as the model has it.
"""

import json
import sys
from urllib.parse import unquote

import botocore.loaders
import botocore.model
import botocore.validate


def enums(shape, value, at):
    """Values that are none of those the model lists; botocore itself lets them pass."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from enums(shape.members[name], inner, f"{at}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from enums(shape.member, inner, at)
    elif shape.type_name == "string":
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{at}: {value} is none of {shape.enum}"
        most = shape.metadata.get("max")
        if most and len(value) > most:
            yield f"{at}: longer than {most}"


def mistakes(request):
    loader = botocore.loaders.Loader()
    model = botocore.model.ServiceModel(
        loader.load_service_model(request["service"], "service-2"), request["service"]
    )
    operation = model.operation_model(request["operation"])
    at = request["operation"]
    if operation.http["method"] != request["method"]:
        yield f"{at}: the method is {request['method']}"
    wanted = operation.http["requestUri"].split("?")[0].split("/")
    found = request["path"].split("/")
    values = {}
    if len(wanted) != len(found):
        yield f"{at}: the path is {request['path']}"
        return
    shape = operation.input_shape
    for part, value in zip(wanted, found):
        if part.startswith("{"):
            values[part.strip("{}")] = unquote(value)
        elif part != value:
            yield f"{at}: the path is {request['path']}"
    params = dict(request["body"])
    for name, member in (shape.members if shape else {}).items():
        place = member.serialization
        if place.get("location") == "uri" and place.get("name", name) in values:
            params[name] = values[place.get("name", name)]
    unknown = set(params) - set(shape.members if shape else {})
    if unknown:
        yield f"{at}: no such members: {sorted(unknown)}"
    report = botocore.validate.ParamValidator().validate(params, shape)
    if report.has_errors():
        yield f"{at}: {report.generate_report()}"
    yield from enums(shape, params, at)


def main():
    for request in json.load(sys.stdin):
        for mistake in mistakes(request):
            print(mistake)


main()
