"""What the programs of this package print: one JSON object a line."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from .exporters import EXPORTERS


def parser() -> argparse.ArgumentParser:
    """Returns a parser of the arguments that all programs take."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exporter", choices=EXPORTERS, default="mlflow")
    parser.add_argument("--wait", action="store_true", help="for a line before the end")
    return parser


def report(event: str, **values: Any) -> None:
    line = json.dumps({"event": event, **values})
    print(line, flush=True)  # noqa: T201  # how programs talk to people


def report_sent(spans: int, *, waits: bool) -> None:
    """Reports that all spans have ended, and that the program begins to end."""
    report("sent", spans=spans)
    if waits:
        sys.stdin.readline()
    report("ending")
