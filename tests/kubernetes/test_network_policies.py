"""The network policies allow what collectors and applications send, and no more."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from .manifests import collectors, named, pods, render

VARIANTS = [f"examples/kubernetes/{n}" for n in ("agent", "gateway", "sidecar")]
NAMESPACE = "deepseek"
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
# Prometheus and the ingress controller are pods in these namespaces.
VISITORS = {"monitoring": "metrics", "ingress": "http"}


class Flow(NamedTuple):
    """A connection. A pod of another namespace has the name of the namespace only."""

    source: str
    target: str
    port: int


def host_and_port(endpoint):
    url = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
    return url.hostname, url.port


def addresses(configuration):
    """Yields the host and the port of each server that a collector connects to."""
    used = {
        (section, name)
        for pipeline in configuration["service"]["pipelines"].values()
        for section in ("exporters", "receivers")
        for name in pipeline[section]
    }
    for section, name in used:
        component = configuration[section][name]
        type_ = name.partition("/")[0]
        if type_ == "kafka":
            yield from map(host_and_port, component["brokers"])
        elif type_ == "load_balancing":
            resolver = component["resolver"]["dns"]
            yield resolver["hostname"], int(resolver["port"])
        elif type_ == "otlp_http":
            endpoint = component.get("endpoint") or component["traces_endpoint"]
            yield host_and_port(endpoint)
        elif type_ == "otlp_grpc":
            yield host_and_port(component["endpoint"])
        else:
            assert type_ == "otlp", name


def target_of(objects, host):
    """Returns the pods of a Service, or the namespace of one outside the manifests."""
    name, _, rest = host.partition(".")
    if not rest:
        labels = named(objects, "Service", name)["spec"]["selector"]
        (pod,) = (p for p in pods(objects) if labels.items() <= p.labels.items())
        return pod.name
    assert rest.endswith(".svc"), host
    return rest.removesuffix(".svc")


def flows(variant, effective_configuration):
    objects = render(variant)
    found = set()
    for pod, container in collectors(variant):
        configuration = effective_configuration(variant, pod, container)
        found |= {
            Flow(pod.name, target_of(objects, host), port)
            for host, port in addresses(configuration)
        }
    application = named(objects, "Deployment", "application")
    container = application["spec"]["template"]["spec"]["containers"][0]
    instrumentation = named(objects, "Instrumentation", "deepseek")
    # As the Operator does: a variable of the container takes precedence.
    entries = instrumentation["spec"]["python"]["env"] + container["env"]
    variables = {e["name"]: e.get("value", "") for e in entries}
    for name, value in variables.items():
        if name.endswith("_ENDPOINT"):
            host, port = host_and_port(value)
            if host != "127.0.0.1":
                found.add(Flow("application", target_of(objects, host), port))
    for pod in pods(objects):
        for namespace, port_name in VISITORS.items():
            names = {p["name"] for c in pod.containers for p in c.get("ports", [])}
            if port_name in names:
                found.add(Flow(namespace, pod.name, pod.port(port_name)))
    return found


def rules_of(objects, pod, direction):
    """Returns the rules that apply to a pod, and whether all else is denied."""
    policies = [
        o["spec"]
        for o in objects
        if o["kind"] == "NetworkPolicy"
        and o["metadata"]["namespace"] == pod.namespace
        and o["spec"]["podSelector"].get("matchLabels", {}).items()
        <= pod.labels.items()
        and direction in o["spec"]["policyTypes"]
    ]
    assert policies, f"{pod.name}: everything is allowed"
    return [rule for policy in policies for rule in policy.get(direction.lower(), [])]


def matches(peer, target, objects):
    """Says whether a peer of a rule is a pod of ours or any pod of a namespace."""
    if "ipBlock" in peer:
        return False
    ours = {pod.name: pod for pod in pods(objects)}
    namespace = NAMESPACE if target in ours else target
    if "namespaceSelector" in peer:
        labels = peer["namespaceSelector"].get("matchLabels", {})
        if not labels.items() <= {NAMESPACE_LABEL: namespace}.items():
            return False
    elif target not in ours:
        return False
    if "podSelector" not in peer:
        return True
    labels = peer["podSelector"]["matchLabels"]
    return target in ours and labels.items() <= ours[target].labels.items()


def allowing_rules(objects, flow):
    """Returns the rules that allow a flow, for each end that is a pod of ours."""
    ours = {pod.name: pod for pod in pods(objects)}
    ends = []
    if flow.source in ours:
        ends.append(("Egress", ours[flow.source], "to", flow.target))
    if flow.target in ours:
        ends.append(("Ingress", ours[flow.target], "from", flow.source))
    allowing = {}
    for direction, pod, key, other in ends:
        receiver = ours.get(flow.target)
        allowing[direction] = [
            (rule, port)
            for rule in rules_of(objects, pod, direction)
            for port in rule["ports"]
            if any(matches(peer, other, objects) for peer in rule[key])
            # The port is one of the pod that receives.
            and (receiver.port(port["port"]) if receiver else port["port"]) == flow.port
        ]
    return allowing


@pytest.mark.parametrize("variant", VARIANTS)
def test_policies_allow_every_flow(variant, effective_configuration):
    objects = render(variant)
    found = flows(variant, effective_configuration)
    assert found
    for flow in found:
        for direction, rules in allowing_rules(objects, flow).items():
            assert rules, f"{flow}: {direction} is denied"


@pytest.mark.parametrize("variant", VARIANTS)
def test_policies_allow_nothing_else(variant, effective_configuration):
    objects = render(variant)
    used = [
        pair
        for flow in flows(variant, effective_configuration)
        for pairs in allowing_rules(objects, flow).values()
        for pair in pairs
    ]
    unused = [
        (policy["metadata"]["name"], port["port"])
        for policy in objects
        if policy["kind"] == "NetworkPolicy"
        for direction in ("ingress", "egress")
        for rule in policy["spec"].get(direction, [])
        for port in rule["ports"]
        if (rule, port) not in used
    ]
    # Every application may send by gRPC; the example does not. The last is DeepSeek.
    expected = [("application", 443), ("dns", 53), ("dns", 53)]
    if not variant.endswith("sidecar"):
        expected.append(("otelcol-agent", "otlp-grpc"))
    assert sorted(unused, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_the_application_reaches_other_addresses(variant):
    """By HTTPS, because the addresses of api.deepseek.com change."""
    objects = render(variant)
    outside = {
        (pod.name, port["port"])
        for pod in pods(objects)
        for rule in rules_of(objects, pod, "Egress")
        for port in rule["ports"]
        if any("ipBlock" in peer for peer in rule["to"])
    }
    assert outside == {("application", 443)}


def test_flows_of_the_gateway(effective_configuration):
    found = flows("examples/kubernetes/gateway", effective_configuration)
    assert {f for f in found if f.source not in VISITORS} == {
        Flow("application", "otelcol-agent", 4318),
        Flow("application", "otelcol-agent", 4319),
        Flow("otelcol-agent", "observability", 4318),
        Flow("otelcol-agent", "otelcol-balancer", 4317),
        Flow("otelcol-balancer", "otelcol-sampler", 4317),
        Flow("otelcol-sampler", "kafka", 9093),
        Flow("otelcol-writer-backend", "kafka", 9093),
        Flow("otelcol-writer-backend", "observability", 4318),
        Flow("otelcol-writer-mlflow", "kafka", 9093),
        Flow("otelcol-writer-mlflow", "mlflow", 5000),
    }
