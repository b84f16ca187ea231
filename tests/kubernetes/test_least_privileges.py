"""The pods of the manifests have no privilege that they do not need."""

from __future__ import annotations

import re

import pytest

from .manifests import named, pods, render

RESTRICTED = (
    "collector",
    *(f"examples/kubernetes/{n}" for n in ("agent", "gateway", "sidecar")),
)


def all_containers(variant):
    return [(pod, c) for pod in pods(render(variant)) for c in pod.containers]


def test_pods_cannot_use_the_api_of_kubernetes(variant):
    for pod in pods(render(variant)):
        assert pod.spec["automountServiceAccountToken"] is False
        assert pod.spec["enableServiceLinks"] is False
        assert not pod.spec.keys() & {"hostIPC", "hostNetwork", "hostPID"}


@pytest.mark.parametrize("variant", RESTRICTED)
def test_pods_obey_the_restricted_standard(variant):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards"""
    labels = named(render(variant), "Namespace", "deepseek")["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}
    allowed = {"name", "configMap", "emptyDir", "persistentVolumeClaim", "projected"}
    for pod, container in all_containers(variant):
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] > 0
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert not any(port.get("hostPort") for port in container.get("ports", []))
        assert all(volume.keys() <= allowed for volume in pod.spec.get("volumes", []))


def test_only_the_container_that_hands_the_queue_over_is_root():
    variant = "examples/kubernetes/queue-on-node"
    roots = [
        (pod.name, container["name"], container["securityContext"]["capabilities"])
        for pod, container in all_containers(variant)
        if container["securityContext"].get("runAsUser") == 0
    ]
    capabilities = {"add": ["CHOWN"], "drop": ["ALL"]}
    assert roots == [("otelcol-agent", "queue-owner", capabilities)]
    agent = named(render(variant), "DaemonSet", "otelcol-agent")["spec"]
    # Two collectors cannot open one queue.
    assert agent["updateStrategy"]["rollingUpdate"]["maxSurge"] == 0
    queue = next(
        v for v in agent["template"]["spec"]["volumes"] if v["name"] == "queue"
    )
    assert queue.keys() == {"name", "hostPath"}


def test_images_are_pinned_and_memory_is_limited(variant):
    for _, container in all_containers(variant):
        assert re.search(r":v?\d+\.\d+\.\d+$", container["image"])
        assert container["resources"]["limits"].keys() == {"memory"}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
