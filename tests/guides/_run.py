"""Runs the commands of a guide in one shell, as its reader does in some terminals."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from typing import TYPE_CHECKING

from tests.published_programs.test_servers import free_port

from ._guide import SERVER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ._guide import Guide

# What the test has started, or checks in another way.
SKIPPED = re.compile(r"pip |mlflow server|python -m examples\.simulator")
PORT = re.compile(r"\b80\d\d\b")
# Waits for the server at a port, for at most a minute.
WAIT = """\
for _ in $(seq 600); do
  if (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; then break; fi
  sleep 0.1
done"""


def script(guide: Guide) -> str:
    """The commands as a script; servers are stopped by SIGTERM at its end."""
    lines = ["set -e", 'curl() { command curl --silent --show-error "$@"; }']
    for command in guide.commands:
        if SKIPPED.match(command):
            continue
        if not SERVER.match(command):
            lines.append(command)
            continue
        lines += [f"{command} &", 'SERVERS="$SERVERS $!"']
        if port := PORT.search(command):
            lines.append(WAIT.format(port=port[0]))
    lines.append('for server in $SERVERS; do kill -TERM "$server"; done')
    lines.append('for server in $SERVERS; do wait "$server" || true; done')
    return "\n".join(lines)


def run_guide(
    guide: Guide,
    folder: Path,
    environment: Mapping[str, str],
    replacements: Mapping[str, str],
) -> subprocess.CompletedProcess[str]:
    """Writes the files, and runs the commands in `folder`.

    The addresses in `replacements` and the ports are replaced.
    """
    text = script(guide)
    ports = {port: str(free_port()) for port in PORT.findall(text)}

    def replace(text: str) -> str:
        for old, new in replacements.items():
            text = text.replace(old, new)
        return text

    for name, body in guide.files.items():
        (folder / name).write_text(replace(body))
    return subprocess.run(
        ["bash", "-c", PORT.sub(lambda match: ports[match[0]], replace(text))],
        cwd=folder,
        env={
            **environment,
            "PATH": f"{sysconfig.get_path('scripts')}:{environment['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
