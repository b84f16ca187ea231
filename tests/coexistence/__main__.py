"""Command line: `python -m tests.coexistence`."""
# ruff: noqa: T201  # a command line program prints its results

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.clients._virtual_environment import (
    CHECKOUT,
    environment,
    installed_version,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# Maps each package to the additional requirements of its environment.
PACKAGES: Final = {
    "opentelemetry-instrumentation-genai-openai": ("openai",),
    # Imports httpx without requiring it; openai 3 does not depend on httpx.
    "opentelemetry-instrumentation-openai-v2": ("openai", "httpx"),
    "opentelemetry-instrumentation-openai": ("openai",),
    "openinference-instrumentation-openai": ("openai",),
    "logfire": ("openai",),
    "mlflow": ("openai",),
    "opentelemetry-instrumentation-genai-langchain": (
        "langchain",
        "langchain-deepseek",
    ),
    "opentelemetry-instrumentation-genai-openai-agents": ("openai-agents",),
    "pydantic-ai-slim": ("pydantic-ai-slim[openai]",),
}
_ORDERS: Final = ("deepseek,other", "other,deepseek")
_ENVIRONMENT: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    # openai-v2 follows outdated conventions by default.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false",
}
_HEAD = """\
# Coexistence with other instrumentations

Written by `python -m tests.coexistence --results FILE`. Each run makes two calls, one
of them streamed, while both packages instrument the SDK, then while one of them does,
then while neither does. "DeepSeek" is this package and "other" the package of the row.
A span is given as `package: provider`, with `+ reasoning` if it holds the model's
reasoning. Spans of agents and tools are not counted.

| other package | version | spans per call, DeepSeek instrumented first \
| other instrumented first | other uninstrumented | DeepSeek uninstrumented \
| both uninstrumented |
|---|---|---|---|---|---|---|
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.coexistence",
        description="Counts the spans per call together with other instrumentations.",
    )
    option = parser.add_argument
    option("packages", nargs="*", choices=[*PACKAGES, []], metavar="PACKAGE")
    option("--folder", help="where to create the virtual environments")
    option("--results", type=Path, metavar="FILE", help="file to write the table to")
    options = parser.parse_args(arguments)
    default_folder = Path(tempfile.gettempdir()) / "deepseek-coexistence"
    folder = Path(options.folder or default_folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(name, folder.resolve()) for name in options.packages or PACKAGES]
    if options.results is not None:
        options.results.write_text(_HEAD + "".join(rows), encoding="utf-8")


def _row(name: str, folder: Path) -> str:
    python = environment(name, (name, *PACKAGES[name]), folder)
    try:
        cells = _cells(name, python, folder / f"{name}.json")
    except subprocess.CalledProcessError as error:
        cells = (f"does not run: {error.stderr.splitlines()[-1]}", *[""] * 4)
    row = f"| {' | '.join((name, installed_version(name, python), *cells))} |\n"
    print(row, end="", flush=True)
    return row


def _cells(name: str, python: Path, file: Path) -> tuple[str, ...]:
    runs = {
        (on, off): _run_worker(name, python, on, off, file)
        for on, off in product(_ORDERS, _ORDERS)
    }
    deepseek_first, other_first = _ORDERS
    restored = all(phases["restored"] for phases in runs.values())
    return (
        *(_cell(runs[on, off]["both"] for off in _ORDERS) for on in _ORDERS),
        *(
            _cell(runs[on, off]["one"] for on in _ORDERS)
            for off in (other_first, deepseek_first)
        ),
        _cell(phases["none"] for phases in runs.values())
        + ("" if restored else " (the SDK is not restored)"),
    )


def _run_worker(
    name: str, python: Path, on: str, off: str, file: Path
) -> dict[str, Any]:
    """Returns the spans of each phase, from one run of the worker."""
    file.unlink(missing_ok=True)
    store = f"sqlite:///{file.with_suffix('.db')}"
    subprocess.run(
        (python, "-m", "tests.coexistence.worker", name, on, off, file),
        check=True,
        cwd=CHECKOUT,
        env=os.environ | _ENVIRONMENT | {"MLFLOW_TRACKING_URI": store},
        capture_output=True,
        text=True,
        timeout=300,
    )
    phases: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return phases


def _cell(runs: Any) -> str:
    """Returns the spans of a call, joined by "or" where the runs differ."""
    return " or ".join(sorted({_spans_per_call(spans) for spans in runs}))


def _spans_per_call(spans: list[dict[str, Any]]) -> str:
    if not spans:
        return "none"
    labels = [
        f"{'DeepSeek' if span['scope'].endswith('.deepseek') else 'other'}: "
        f"{span['provider']}{' + reasoning' if span['reasoning'] else ''}"
        for span in spans
    ]
    distinct = sorted(set(labels))
    # There are two calls: a label that occurs twice belongs to each of them.
    if all(labels.count(label) == 2 for label in distinct):
        return ", ".join(distinct)
    return ", ".join(sorted(labels)) + " (of two calls)"


if __name__ == "__main__":
    main()
