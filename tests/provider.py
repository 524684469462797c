"""What AWS's provider schemas, as cfn-lint keeps them, say about resource types.

Reads a JSON list of types; writes one JSON object:
  types    type -> what each handler is permitted, and what tagging is
  regions  Region -> those of the types that it does not have
"""

import json
import sys
from importlib import resources

from cfnlint.data.schemas import providers
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

# Lists of a whole partition or of a transform, where the others are Regions.
NO_REGION = {"sam"}


def permissions(kind: str) -> dict[str, list[str]]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    handlers = {
        name: sorted(set(handler["permissions"])) for name, handler in schema["handlers"].items()
    }
    tagging = schema.get("tagging") or {}
    if tagging.get("taggable") and tagging.get("permissions"):
        handlers["tag"] = sorted(set(tagging["permissions"]))
    return handlers


def lists() -> dict[str, set[str]]:
    found = {}
    for file in resources.files(providers).iterdir():
        region = file.name.removesuffix(".json")
        if file.name.endswith(".json") and region not in NO_REGION:
            found[region] = set(json.loads(file.read_text()))
    return found


def main() -> None:
    kinds = json.load(sys.stdin)
    answer = {
        "types": {kind: permissions(kind) for kind in kinds},
        "regions": {
            region: sorted(set(kinds) - there) for region, there in sorted(lists().items())
        },
    }
    json.dump(answer, sys.stdout)


main()
