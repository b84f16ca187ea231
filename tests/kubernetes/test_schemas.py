"""Each object of the manifests is one that Kubernetes and the Operator accept."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

from .manifests import EXAMPLE_SECRETS, render

SCHEMAS = Path(__file__).with_name("schemas")
# The oldest version with `preStop.sleep` and the newest that the package knows.
KUBERNETES_VERSIONS = ("1.30", "1.37")


def without_other_fields(schema):
    """Returns the schema that the API server applies: it refuses unknown fields."""
    if isinstance(schema, list):
        return [without_other_fields(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: without_other_fields(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        strict.setdefault("additionalProperties", False)
    return strict


@cache
def instrumentation_schema():
    text = (SCHEMAS / "opentelemetry.io_instrumentations.yaml").read_text()
    definition = yaml.safe_load(text)["spec"]
    assert definition["names"]["kind"] == "Instrumentation"
    (version,) = definition["versions"]
    schema = without_other_fields(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def validate(thing, version):
    if thing["kind"] == "Instrumentation":
        assert thing["apiVersion"] == "opentelemetry.io/v1alpha1"
        jsonschema.validate(thing, instrumentation_schema())
    else:
        kubernetes_validate.validate(thing, version, strict=True)


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_objects_are_valid(variant, version):
    for thing in render(variant):
        validate(thing, version)


def test_example_secrets_are_valid():
    for secret in yaml.safe_load_all(EXAMPLE_SECRETS.read_text()):
        validate(secret, KUBERNETES_VERSIONS[-1])


@pytest.mark.parametrize("kind", ["Instrumentation", "DaemonSet", "NetworkPolicy"])
def test_unknown_field_is_found(kind):
    objects = render("examples/kubernetes/agent")
    thing = copy.deepcopy(next(o for o in objects if o["kind"] == kind))
    thing["spec"]["unknown"] = "value"
    # The classes of the two packages differ.
    with pytest.raises(Exception, match="Additional properties are not allowed"):
        validate(thing, KUBERNETES_VERSIONS[-1])
