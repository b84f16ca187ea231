"""The commands of collector/README.md start a collector."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from examples.otelcol import CONFIG_FOLDER
from examples.otelcol._process import PORTS, free_ports
from tests.e2e.conftest import ENVIRONMENT

pytestmark = pytest.mark.e2e


def quick_start_commands() -> list[str]:
    """Returns the console blocks of the quick start that start the collector."""
    text = (CONFIG_FOLDER / "README.md").read_text()
    section = text[text.index("\n## Quick start") : text.index("\nStart the applic")]
    return re.findall(r"```console\n(.*?)```", section, re.DOTALL)


def test_quick_start_runs_the_collector(otelcol, tmp_path):
    commands = quick_start_commands()
    assert "".join(commands).count("$OTELCOL --config agent.yaml") == 1
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    with subprocess.Popen(
        # The collector replaces the shell, so that it receives the signal.
        ["bash", "-ec", "".join(commands).replace("$OTELCOL", "exec $OTELCOL")],
        cwd=CONFIG_FOLDER.parent,
        env=ENVIRONMENT
        | {f"OTELCOL_{name}_PORT": port for name, port in ports.items()}
        | {
            "OTELCOL_STATE_DIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not is_healthy(ports["HEALTH"]) and time.monotonic() < deadline:
                assert process.poll() is None, process.stdout.read()
                time.sleep(0.1)
            assert is_healthy(ports["HEALTH"])
        finally:
            process.terminate()
            process.communicate(timeout=30)


def is_healthy(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
            return response.status == 200
    except urllib.error.URLError:
        return False
