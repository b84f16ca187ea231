"""The collectors of the manifests have the files, variables and ports they need."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import urlsplit

import yaml

from examples.otelcol import CONFIG_FOLDER

from .manifests import (
    EXAMPLE_SECRETS,
    FOLDER,
    collector_command,
    collectors,
    environment,
    is_collector,
    named,
    pods,
    render,
)


def listening_ports(configuration):
    """Returns the ports on which a collector accepts connections."""
    endpoints = [configuration["extensions"]["health_check"]["endpoint"]]
    for name, receiver in configuration["receivers"].items():
        if name.startswith("otlp"):
            endpoints += [
                protocol["endpoint"]
                for protocol in receiver["protocols"].values()
                if protocol
            ]
    (reader,) = configuration["service"]["telemetry"]["metrics"]["readers"]
    ports = {urlsplit(f"//{endpoint}").port for endpoint in endpoints}
    return ports | {reader["pull"]["exporter"]["prometheus"]["port"]}


def test_collector_accepts_its_configuration(variant, otelcol, tmp_path):
    assert collectors(variant)
    for pod, container in collectors(variant):
        command = collector_command(variant, pod, container, tmp_path)
        process = subprocess.run(
            [otelcol, "validate", *command.arguments],
            env=command.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr


def test_configurations_are_the_files_of_the_folder(variant, tmp_path):
    for pod, container in collectors(variant):
        for file in collector_command(variant, pod, container, tmp_path).files:
            original = CONFIG_FOLDER / file.name
            if not original.exists():
                original = (
                    CONFIG_FOLDER / "gateway" / file.name.removeprefix("gateway-")
                )
            assert file.read_text() == original.read_text()


def test_every_variable_of_a_configuration_is_set(variant, tmp_path):
    for pod, container in collectors(variant):
        command = collector_command(variant, pod, container, tmp_path)
        texts = "".join(file.read_text() for file in command.files)
        variables = set(re.findall(r"\$\{env:(\w+)", texts))
        assert variables - command.environment.keys() == set()


def test_every_setting_is_a_variable_of_a_configuration(tmp_path):
    variant = "examples/kubernetes/gateway"
    used = set()
    for pod, container in collectors(variant):
        for file in collector_command(variant, pod, container, tmp_path).files:
            used |= set(re.findall(r"\$\{env:(\w+)", file.read_text()))
    for _, container in collectors(variant):
        variables = environment(render(variant), container).keys()
        assert variables - used <= {"GOMEMLIMIT"}


def test_container_ports_are_those_on_which_the_collector_listens(
    variant, effective_configuration
):
    for pod, container in collectors(variant):
        configuration = effective_configuration(variant, pod, container)
        ports = {port["containerPort"] for port in container["ports"]}
        assert ports <= listening_ports(configuration)
        # The queue is in a volume.
        storage = configuration["extensions"].get("file_storage")
        if storage:
            mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert any(storage["directory"].startswith(f"{m}/") for m in mounts)


def test_probes_read_the_health_check(variant, effective_configuration):
    for pod, container in collectors(variant):
        configuration = effective_configuration(variant, pod, container)
        health = configuration["extensions"]["health_check"]
        probes = [container[key] for key in container if key.endswith("Probe")]
        assert len(probes) == 2
        for probe in probes:
            assert probe["httpGet"]["path"] == health["path"]
            port = pod.port(probe["httpGet"]["port"])
            assert health["endpoint"] == f"0.0.0.0:{port}"


def test_services_lead_to_a_port_of_their_pods(variant):
    services = [o for o in render(variant) if o["kind"] == "Service"]
    for service in services:
        (pod,) = (
            pod
            for pod in pods(render(variant))
            if service["spec"]["selector"].items() <= pod.labels.items()
        )
        for port in service["spec"]["ports"]:
            assert pod.port(port["targetPort"]) == port["port"]
    headless = {
        s["metadata"]["name"] for s in services if s["spec"].get("clusterIP") == "None"
    }
    sets = [o for o in render(variant) if o["kind"] == "StatefulSet"]
    assert {s["spec"]["serviceName"] for s in sets} == headless


def test_memory_limits_leave_room(variant):
    for _, container in collectors(variant):
        variables = environment(render(variant), container)
        limits = [
            int(variables["OTELCOL_MEMORY_MIB"]),
            int(variables["GOMEMLIMIT"].removesuffix("MiB")),
            int(container["resources"]["limits"]["memory"].removesuffix("Mi")),
        ]
        assert limits[1] == limits[0] * 8 // 10
        assert limits[2] >= limits[0] + 128


def test_autoscalers_and_budgets_refer_to_workloads(variant):
    objects = render(variant)
    workloads = {pod.name: pod for pod in pods(objects)}
    scaled = set()
    for thing in objects:
        if thing["kind"] == "HorizontalPodAutoscaler":
            target = thing["spec"]["scaleTargetRef"]
            workload = named(objects, target["kind"], target["name"])
            # `kubectl apply` would otherwise reset what the autoscaler has set.
            assert "replicas" not in workload["spec"]
            # Utilization is relative to the request.
            (container,) = workload["spec"]["template"]["spec"]["containers"]
            assert "cpu" in container["resources"]["requests"]
            scaled.add(target["name"])
        elif thing["kind"] == "PodDisruptionBudget":
            labels = thing["spec"]["selector"]["matchLabels"]
            assert workloads[thing["metadata"]["name"]].labels == labels
    if variant.endswith("gateway"):
        assert scaled == {
            "otelcol-balancer",
            "otelcol-sampler",
            "otelcol-writer-backend",
        }


def test_image_is_the_tested_version():
    manifest = yaml.safe_load((CONFIG_FOLDER / "builder-config.yaml").read_text())
    images = {
        container["image"]
        for variant in ("examples/kubernetes/gateway", "examples/kubernetes/sidecar")
        for pod in pods(render(variant))
        for container in pod.containers
        if is_collector(container)
    }
    version = manifest["dist"]["version"]
    assert images == {f"otel/opentelemetry-collector-contrib:{version}"}


def test_secrets_are_references_to_keys_of_the_example(variant):
    objects = render(variant)
    assert not [o for o in objects if o["kind"] == "Secret"]
    secrets = list(yaml.safe_load_all(EXAMPLE_SECRETS.read_text()))
    assert not any(value for s in secrets for value in s["stringData"].values())
    keys = {(s["metadata"]["name"], key) for s in secrets for key in s["stringData"]}
    for pod in pods(objects):
        for container in pod.containers:
            for entry in container.get("env", []):
                is_secret = re.search(
                    r"AUTHORIZATION|KEY|PASSWORD|TOKEN", entry["name"]
                )
                reference = entry.get("valueFrom", {}).get("secretKeyRef")
                assert bool(reference) >= bool(is_secret)
                if reference:
                    assert (reference["name"], reference["key"]) in keys
    # What may hold a credential in a setting is empty.
    for thing in objects:
        if thing["kind"] == "ConfigMap":
            for name, value in thing["data"].items():
                assert not re.search(r"AUTHORIZATION|PASSWORD", name) or value == ""


def test_every_manifest_is_part_of_a_variant():
    rendered = {
        name
        for file in FOLDER.glob("*/*.yaml")
        if file.name != "kustomization.yaml"
        for thing in yaml.safe_load_all(file.read_text())
        if (name := (thing["kind"], thing["metadata"]["name"])) != ("Deployment", "any")
    }
    objects = [
        (o["kind"], o["metadata"]["name"])
        for variant in ("gateway", "sidecar", "agent")
        for o in render(f"examples/kubernetes/{variant}")
    ]
    assert rendered <= set(objects)
