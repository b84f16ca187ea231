"""values.yaml is valid for the chart, and describes the agent of the kustomization.

The chart itself is not rendered here, because that would need its source and helm.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from .manifests import FOLDER, collectors, environment, named, pods, render

VALUES = yaml.safe_load((FOLDER / "values.yaml").read_text())
SCHEMA_FILE = Path(__file__).with_name("schemas") / (
    "opentelemetry-collector.values.schema.json"
)


def without_required(schema):
    """Returns the schema for values to which helm adds the defaults of the chart."""
    if isinstance(schema, list):
        return [without_required(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_required(value)
        for key, value in schema.items()
        if key != "required" or not isinstance(value, list)
    }


VALIDATOR = jsonschema.Draft202012Validator(
    without_required(json.loads(SCHEMA_FILE.read_text()))
)


@pytest.fixture
def pod():
    (pod,) = pods(render("collector"))
    return pod


@pytest.fixture
def agent():
    ((_, agent),) = collectors("collector")
    return agent


def test_values_are_valid():
    VALIDATOR.validate(VALUES)


def test_schema_finds_a_misspelt_value():
    assert not VALIDATOR.is_valid(VALUES | {"extraEnv": []})
    assert not VALIDATOR.is_valid(VALUES | {"ports": {"otlp": {"hostport": 1}}})


def test_container_is_that_of_the_daemonset(agent):
    variables = {
        entry["name"]: entry.get("value") or entry["valueFrom"]["secretKeyRef"]["key"]
        for entry in VALUES["extraEnvs"]
    }
    assert variables == environment(render("collector"), agent)
    assert VALUES["command"]["extraArgs"] == agent["args"]
    assert ":".join(VALUES["image"].values()) == agent["image"]
    assert VALUES["resources"] == agent["resources"]
    assert VALUES["securityContext"] == agent["securityContext"]
    assert VALUES["extraVolumeMounts"] == agent["volumeMounts"]


def test_pod_is_that_of_the_daemonset(pod):
    assert VALUES["podSecurityContext"] == pod.spec["securityContext"]
    assert VALUES["tolerations"] == pod.spec["tolerations"]
    assert (
        VALUES["rollout"]["rollingUpdate"]
        == (pod.workload["spec"]["updateStrategy"]["rollingUpdate"])
    )
    queues = [pod.spec["volumes"], VALUES["extraVolumes"]]
    assert [v for v in queues[0] if "emptyDir" in v] == [
        v for v in queues[1] if "emptyDir" in v
    ]


def test_config_map_is_the_one_of_the_comment(agent):
    comment = (FOLDER / "values.yaml").read_text()
    (name,) = re.findall(r"create configmap (\S+)", comment)
    assert VALUES["configMap"] == {"create": False}
    assert VALUES["extraVolumes"][0] == {"name": "config", "configMap": {"name": name}}
    files = re.findall(r"--from-file=(\S+)", comment)
    assert [f"--config=/etc/otelcol/{file}" for file in files] == agent["args"]


def test_version_of_the_chart_is_that_of_the_schema():
    readme = SCHEMA_FILE.with_name("README.md").read_text()
    (version,) = re.findall(r"--version (\S+)", (FOLDER / "values.yaml").read_text())
    assert f"version {version} of the chart" in readme


def test_service_is_that_of_the_daemonset(pod):
    """With the same name, the same ports and no port of the node."""
    service = named(render("collector"), "Service", "otelcol-agent")
    assert VALUES["fullnameOverride"] == service["metadata"]["name"]
    assert VALUES["service"] == {"enabled": True}
    # The chart enables these two itself.
    ports = {"otlp": 4317, "otlp-http": 4318}
    for name, port in VALUES["ports"].items():
        if port.get("enabled", True):
            assert not port.get("hostPort")
            ports.setdefault(name, port.get("containerPort", 8888))
    expected = {p["port"] for p in service["spec"]["ports"]}
    assert set(ports.values()) == expected | {pod.port("metrics")}


def test_network_policy_allows_what_that_of_the_daemonset_does(pod):
    def peers(rules, key):
        return sorted(
            (json.dumps(peer, sort_keys=True), str(port["port"]))
            for rule in rules
            for peer in rule[key]
            for port in rule["ports"]
        )

    policies = [o["spec"] for o in render("collector") if o["kind"] == "NetworkPolicy"]
    egress = [
        rule
        for policy in policies
        if policy["podSelector"].get("matchLabels", {}).items() <= pod.labels.items()
        for rule in policy.get("egress", [])
    ]
    assert peers(VALUES["networkPolicy"]["egressRules"], "to") == peers(egress, "to")
    ingress = [
        peer
        for policy in policies
        for rule in policy.get("ingress", [])
        for peer in rule["from"]
    ]
    assert VALUES["networkPolicy"]["allowIngressFrom"] == ingress
