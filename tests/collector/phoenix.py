"""Arize Phoenix in an environment of its own: a second backend, none of ours."""

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
from tests.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "arize-phoenix==20.26.1"
HOW_TO_GET_IT = f"no {PACKAGE}: it is installed here with uv, which is not on PATH"


class Phoenix:
    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    @property
    def spans(self) -> list[dict[str, Any]]:
        answer = requests.get(
            f"{self.endpoint}/v1/projects/default/spans?limit=1000", timeout=10
        )
        # Before the first span there is no project.
        return answer.json()["data"] if answer.ok else []


@contextmanager
def phoenix(folder: Path) -> Iterator[Phoenix]:
    port, grpc = free_ports(2)
    with (folder / "phoenix.log").open("wb") as log:
        process = subprocess.Popen(
            [_installed() / "bin" / "phoenix", "serve"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PHOENIX_HOST": "127.0.0.1",
                "PHOENIX_PORT": str(port),
                "PHOENIX_GRPC_PORT": str(grpc),
                "PHOENIX_WORKING_DIR": str(folder),
                "PHOENIX_TELEMETRY_ENABLED": "false",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        ends = time.monotonic() + 180
        while not _answers(port):
            assert process.poll() is None, (folder / "phoenix.log").read_text()[-2000:]
            assert time.monotonic() < ends
            time.sleep(0.5)
        yield Phoenix(port)
    finally:
        process.terminate()
        process.wait(30)


def _installed() -> Path:
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
        missing(HOW_TO_GET_IT)
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, environment],
        ["pip", "install", "--quiet", "--python", environment / "bin/python", PACKAGE],
    ):
        subprocess.run([uv, *command], check=True)
    return environment


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False
