"""A client's program, run in the client's environment."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Final

from ._environment import CHECKOUT, environment, installed

if TYPE_CHECKING:
    from pathlib import Path

    from ._clients import Client

_SECONDS: Final = 300
_ENVIRONMENT: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    # What some of them tell their makers.
    "AGNO_TELEMETRY": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "HAYSTACK_TELEMETRY_ENABLED": "false",
}


def run(client: Client, folder: Path) -> dict[str, Any]:
    """What `inside` saw, with the client's version."""
    python = environment(client.name, client.requirements, folder)
    file = folder / f"{client.name}.json"
    file.unlink(missing_ok=True)
    log = folder / f"{client.name}.log"
    with log.open("w", encoding="utf-8") as output:
        subprocess.run(
            (python, "-m", "tests.clients.inside", client.program, file),
            check=True,
            cwd=CHECKOUT,
            env=os.environ | _ENVIRONMENT,
            stdout=output,
            stderr=output,
            timeout=_SECONDS,
        )
    seen: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    seen["version"] = installed(client.name, python)
    return seen
