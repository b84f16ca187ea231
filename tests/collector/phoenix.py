"""Runs Arize Phoenix from its own virtual environment, as a second OTLP backend."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from examples.otelcol._process import free_ports
from tests.skipping import skip_unless_ci

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "arize-phoenix==20.26.1"
INSTALL_HINT = f"uv is not on PATH; it is needed to install {PACKAGE}"


class Phoenix:
    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    @property
    def spans(self) -> list[dict[str, Any]]:
        response = requests.get(
            f"{self.endpoint}/v1/projects/default/spans?limit=1000", timeout=10
        )
        # The project does not exist before the first span.
        return response.json()["data"] if response.ok else []


@contextmanager
def start_phoenix(folder: Path) -> Iterator[Phoenix]:
    port, grpc_port = free_ports(2)
    with (folder / "phoenix.log").open("wb") as log:
        process = subprocess.Popen(
            [_environment() / "bin" / "phoenix", "serve"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PHOENIX_HOST": "127.0.0.1",
                "PHOENIX_PORT": str(port),
                "PHOENIX_GRPC_PORT": str(grpc_port),
                "PHOENIX_WORKING_DIR": str(folder),
                "PHOENIX_TELEMETRY_ENABLED": "false",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 180
        while not _is_healthy(port):
            assert process.poll() is None, (folder / "phoenix.log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield Phoenix(port)
    finally:
        process.terminate()
        process.wait(30)


def _environment() -> Path:
    """Returns the virtual environment with Phoenix; installs it the first time."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = "".join(map(str, sys.version_info[:2]))
    environment = Path(
        cache,
        "opentelemetry-instrumentation-deepseek",
        f"{PACKAGE.replace('==', '-')}-py{version}",
    )
    if (environment / "bin" / "phoenix").exists():
        return environment
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        skip_unless_ci(INSTALL_HINT)
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, environment],
        ["pip", "install", "--quiet", "--python", environment / "bin/python", PACKAGE],
    ):
        subprocess.run([uv, *command], check=True)
    return environment


def _is_healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False
