"""`python -m tests.coexistence`"""
# ruff: noqa: T201  # programs talk to people

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.clients._environment import CHECKOUT, environment, installed

if TYPE_CHECKING:
    from collections.abc import Sequence

# By package: what is to be installed with it.
NEIGHBOURS: Final = {
    "opentelemetry-instrumentation-genai-openai": ("openai",),
    # It imports httpx, which openai 3 does not bring, and does not ask for it.
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
_ORDERS: Final = ("ours,theirs", "theirs,ours")
_ENVIRONMENT: Final = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    # Without it, openai-v2 says what conventions said long ago.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "false",
}
_HEAD = """\
# Other instrumentations beside ours

Written by `python -m tests.coexistence --results FILE`: two calls, one of them
streamed, with both switched on, then with one of them, then with neither. A span is
`whose: provider`, with `+ reasoning` if it holds the model's reasoning. Spans of agents
and tools are not counted.

| neighbour | version | spans of a call, ours on first | theirs on first \
| after theirs is off | after ours is off | after both are off |
|---|---|---|---|---|---|---|
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.coexistence",
        description="Other instrumentations beside ours: how many spans, and whose.",
    )
    option = parser.add_argument
    option("neighbours", nargs="*", choices=[*NEIGHBOURS, []], metavar="NEIGHBOUR")
    option("--folder", help="where to keep the environments")
    option("--results", type=Path, metavar="FILE", help="write the table there")
    options = parser.parse_args(arguments)
    folder = Path(options.folder or Path(tempfile.gettempdir()) / "deepseek-neighbours")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(name, folder.resolve()) for name in options.neighbours or NEIGHBOURS]
    if options.results is not None:
        options.results.write_text(_HEAD + "".join(rows), encoding="utf-8")


def _row(name: str, folder: Path) -> str:
    python = environment(name, (name, *NEIGHBOURS[name]), folder)
    try:
        cells = _cells(name, python, folder / f"{name}.json")
    except subprocess.CalledProcessError as error:
        cells = (f"does not run: {error.stderr.splitlines()[-1]}", *[""] * 4)
    row = f"| {' | '.join((name, installed(name, python), *cells))} |\n"
    print(row, end="", flush=True)
    return row


def _cells(name: str, python: Path, file: Path) -> tuple[str, ...]:
    seen = {
        (on, off): _seen(name, python, on, off, file)
        for on, off in product(_ORDERS, _ORDERS)
    }
    ours_off, theirs_off = _ORDERS
    restored = all(phases["restored"] for phases in seen.values())
    return (
        *(_cell(seen[on, off]["both"] for off in _ORDERS) for on in _ORDERS),
        *(
            _cell(seen[on, off]["one"] for on in _ORDERS)
            for off in (theirs_off, ours_off)
        ),
        _cell(phases["none"] for phases in seen.values())
        + ("" if restored else " (the SDK is not restored)"),
    )


def _seen(name: str, python: Path, on: str, off: str, file: Path) -> dict[str, Any]:
    file.unlink(missing_ok=True)
    store = f"sqlite:///{file.with_suffix('.db')}"
    subprocess.run(
        (python, "-m", "tests.coexistence.inside", name, on, off, file),
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
    """The spans of a call; "or" where they differ from run to run."""
    said = {_calls(spans) for spans in runs}
    return " or ".join(sorted(said))


def _calls(spans: list[dict[str, Any]]) -> str:
    if not spans:
        return "none"
    words = [
        f"{'ours' if span['scope'].endswith('.deepseek') else 'theirs'}: "
        f"{span['provider']}{' + reasoning' if span['reasoning'] else ''}"
        for span in spans
    ]
    each = sorted(set(words))
    # Two calls: an even share means that both are alike.
    alike = all(words.count(word) == 2 for word in each)
    return ", ".join(each) if alike else ", ".join(sorted(words)) + " (of two calls)"


if __name__ == "__main__":
    main()
