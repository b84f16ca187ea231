from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.collector import conftest

from .manifests import VARIANTS, collector_command

if TYPE_CHECKING:
    from collections.abc import Callable

otelcol = conftest.otelcol


@pytest.fixture(params=VARIANTS)
def variant(request) -> str:
    """A folder for `kubectl apply -k`."""
    return request.param


@pytest.fixture(scope="session")
def effective_configuration(otelcol, tmp_path_factory) -> Callable[..., dict[str, Any]]:
    """Returns the configuration of a collector of the manifests, as it reads it."""
    cache: dict[str, dict[str, Any]] = {}

    def read(variant, pod, container):
        key = f"{variant}/{pod.name}"
        if key not in cache:
            folder = tmp_path_factory.mktemp("otelcol")
            command = collector_command(variant, pod, container, folder)
            process = subprocess.run(
                [otelcol, "print-config", *command.arguments],
                env=command.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert process.returncode == 0, process.stdout + process.stderr
            cache[key] = yaml.safe_load(process.stdout)
        return cache[key]

    return read
