"""Command line: `python -m tests.side_by_side.worker SUBJECT FILE [CALL …]`.

Makes these calls, or all, with the instrumentation SUBJECT, or without one if it is
`none`. Writes to the file what the program saw, what was sent and what was recorded, as
JSON.
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from examples.simulator import Simulator

from .name_resolution import resolve_deepseek_to_loopback
from .subjects import SUBJECTS
from .telemetry import Telemetry

if TYPE_CHECKING:
    from examples.simulator import Exchange

# Seconds between two chunks: a stream takes several times as long as its first chunk.
_PACE: Final = 0.0005


def main(name: str, file: str, *names: str) -> None:
    other_hosts = resolve_deepseek_to_loopback()
    telemetry = Telemetry()
    read = None
    if name == "none":
        telemetry.set_global_providers()
    else:
        read = SUBJECTS[name].enable(telemetry)
    # Imports the SDK, which some instrumentations have to patch before.
    from .calls import API_KEY, CALLS, Calls, make_call

    gc.freeze()  # the collection after each call takes less time
    with Simulator(pace=_PACE) as simulator:
        calls = Calls(simulator, telemetry.application_span)
        records = [make_call(calls, simulator, call) for call in names or CALLS]
        if read:
            read()
        exchanges = [_exchange(exchange) for exchange in simulator.exchanges]
    record = {
        "python": platform.python_version(),
        "openai": importlib.metadata.version("openai"),
        "version": importlib.metadata.version(SUBJECTS[name].distribution)
        if name != "none"
        else "",
        "api_key": API_KEY,
        "other_hosts": other_hosts,
        "calls": records,
        "exchanges": exchanges,
        **telemetry.record(),
    }
    Path(file).write_text(json.dumps(record), encoding="utf-8")


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "path": exchange.path,
        "headers": dict(exchange.request_headers),
        "request_body": exchange.request_body.decode(),
        "status": exchange.status,
        "response_body": exchange.response_body.decode(),
        "usage": exchange.usage,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
