"""Runs the worker in the environment of a client."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Final

from ._virtual_environment import CHECKOUT, environment, installed_version

if TYPE_CHECKING:
    from pathlib import Path

    from ._clients import Client

_TIMEOUT_SECONDS: Final = 300
_ENVIRONMENT: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    # Switches off the clients' own telemetry.
    "AGNO_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "HAYSTACK_TELEMETRY_ENABLED": "false",
}


def run(client: Client, folder: Path) -> dict[str, Any]:
    """Returns the record that the worker wrote, with the client's version."""
    python = environment(client.name, client.requirements, folder)
    file = folder / f"{client.name}.json"
    file.unlink(missing_ok=True)
    log = folder / f"{client.name}.log"
    with log.open("w", encoding="utf-8") as output:
        subprocess.run(
            (python, "-m", "tests.clients.worker", client.program, file),
            check=True,
            cwd=CHECKOUT,
            env=os.environ | _ENVIRONMENT,
            stdout=output,
            stderr=output,
            timeout=_TIMEOUT_SECONDS,
        )
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    record["version"] = installed_version(client.name, python)
    return record
