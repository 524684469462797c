"""Judges a YAML file by a JSON Schema (draft 2020-12); says what is wrong and exits with 1."""

import json
import sys
from pathlib import Path

import jsonschema_rs
import yaml

schema, document = (Path(name).read_text() for name in sys.argv[1:])
schema = json.loads(schema)
jsonschema_rs.meta.validate(schema)
judge = jsonschema_rs.Draft202012Validator(schema)
errors = [error.message for error in judge.iter_errors(yaml.safe_load(document))]
sys.exit("\n".join(errors) or None)
