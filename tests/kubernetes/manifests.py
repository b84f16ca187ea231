"""Renders the kustomizations, and reads the result as a cluster does."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.skipping import skip_unless_ci

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "collector" / "kubernetes"
OVERLAYS = ROOT / "examples" / "kubernetes"
VARIANTS = (
    "collector",
    *sorted(f"examples/kubernetes/{p.name}" for p in OVERLAYS.iterdir()),
)
EXAMPLE_SECRETS = FOLDER / "secret.example.yaml"
# What Go builds if there is neither kubectl nor kustomize.
KUSTOMIZE_MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"

Object = dict[str, Any]


@cache
def kustomize_command() -> list[str]:
    if shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    if not shutil.which("go"):
        skip_unless_ci("there is no kubectl, no kustomize, and no Go to build one")
    return ["go", "run", KUSTOMIZE_MODULE, "build"]


@cache
def render(variant: str) -> list[Object]:
    """Returns the objects that `kubectl apply -k VARIANT` creates."""
    process = subprocess.run(
        [*kustomize_command(), ROOT / variant],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return list(yaml.safe_load_all(process.stdout))


class Pod(NamedTuple):
    """The template of the pods of a workload."""

    workload: Object
    labels: dict[str, str]
    spec: Object

    @property
    def name(self) -> str:
        return self.workload["metadata"]["name"]

    @property
    def namespace(self) -> str:
        return self.workload["metadata"]["namespace"]

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def port(self, name_or_number: str | int) -> int:
        """Returns the number of a port of one of the containers."""
        if isinstance(name_or_number, int):
            return name_or_number
        (number,) = (
            port["containerPort"]
            for container in self.containers
            for port in container.get("ports", [])
            if port["name"] == name_or_number
        )
        return number


def pods(objects: list[Object]) -> list[Pod]:
    return [
        Pod(
            o,
            o["spec"]["template"]["metadata"]["labels"],
            o["spec"]["template"]["spec"],
        )
        for o in objects
        if o["kind"] in {"DaemonSet", "Deployment", "StatefulSet"}
    ]


def named(objects: list[Object], kind: str, name: str) -> Object:
    (found,) = (
        o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name
    )
    return found


def is_collector(container: Object) -> bool:
    return "opentelemetry-collector" in container["image"]


def collectors(variant: str) -> list[tuple[Pod, Object]]:
    """Returns the containers that run a collector, each with its pod."""
    return [
        (pod, container)
        for pod in pods(render(variant))
        for container in pod.containers
        if is_collector(container)
    ]


def environment(objects: list[Object], container: Object) -> dict[str, str]:
    """Returns the variables of a container. That of a secret is the name of its key."""
    variables = {}
    for source in container.get("envFrom", []):
        settings = named(objects, "ConfigMap", source["configMapRef"]["name"])
        variables |= settings["data"]
    for entry in container.get("env", []):
        secret = entry.get("valueFrom", {}).get("secretKeyRef")
        variables[entry["name"]] = secret["key"] if secret else entry["value"]
    return variables


def configuration_files(
    objects: list[Object], pod: Pod, container: Object
) -> dict[str, str]:
    """Returns path and text of the files that ConfigMaps add to a container."""
    sources = {
        volume["name"]: volume["projected"]["sources"]
        for volume in pod.spec["volumes"]
        if "projected" in volume
    }
    files = {}
    for mount in container["volumeMounts"]:
        for source in sources.get(mount["name"], []):
            reference = source["configMap"]
            data = named(objects, "ConfigMap", reference["name"])["data"]
            items = reference.get("items", [{"key": k, "path": k} for k in data])
            for item in items:
                files[f"{mount['mountPath']}/{item['path']}"] = data[item["key"]]
    return files


class Command(NamedTuple):
    """The command line of a collector, with its files in a folder of this machine."""

    arguments: list[str]
    environment: dict[str, str]
    files: list[Path]


def collector_command(
    variant: str, pod: Pod, container: Object, folder: Path
) -> Command:
    objects = render(variant)
    texts = configuration_files(objects, pod, container)
    files = []
    for argument in container["args"]:
        path = re.fullmatch(r"--config=(/.+)", argument)[1]
        files.append(folder / Path(path).name)
        files[-1].write_text(texts[path])
    arguments = [f"--config={file}" for file in files]
    return Command(arguments, environment(objects, container), files)
