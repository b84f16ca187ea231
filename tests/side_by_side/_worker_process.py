"""Runs the worker in the environment of an instrumentation, three times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from examples.quickstart.mlflow_server import MlflowServer
from tests.clients._virtual_environment import CHECKOUT, environment

from ._cell import Runs
from ._content_facts import CALLS_WITH_DEFAULT
from ._record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .worker.subjects import Subject

_TIMEOUT_SECONDS: Final = 300
NO_INSTRUMENTATION: Final = "none"
# Variables of the caller that would configure an instrumentation. OPENLIT_PRICING_JSON
# may name the price list that OpenLIT otherwise downloads.
_EXCLUDED_PREFIXES: Final = (
    *("DEEPSEEK_", "LANGFUSE_", "LOGFIRE_", "MLFLOW_", "OPENAI_", "OPENINFERENCE_"),
    *("OTEL_", "TRACELOOP_"),
)


def run_subject(subject: Subject, folder: Path) -> Runs:
    """Raises CalledProcessError or TimeoutExpired if there is no record."""
    requirements = ("openai", subject.distribution, *subject.requirements)
    if subject.extras is not None:
        requirements = ("openai", *subject.requirements)
    python = environment(subject.name, requirements, folder, extras=subject.extras)
    with ExitStack() as stack:
        variables = dict(subject.settings)
        if subject.needs_mlflow_server:
            server = stack.enter_context(MlflowServer(python=python))
            variables["MLFLOW_TRACKING_URI"] = server.uri

        # The environment has this package installed or not: its source code is not on
        # the path.
        variables["PYTHONPATH"] = ""

        def run(mode: str, name: str = subject.name, **options: Any) -> Record:
            others = {"MLFLOW_EXPERIMENT_NAME": mode, **options.pop("variables", {})}
            file = folder / f"{subject.name}-{mode}.json"
            return run_worker(name, file, python, variables | others, **options)

        return Runs(
            bare=run("bare", NO_INSTRUMENTATION),
            default=run("default", calls=CALLS_WITH_DEFAULT),
            content=run("content", variables=subject.content),
        )


def run_worker(
    name: str,
    file: Path,
    python: Path | str = sys.executable,
    variables: Mapping[str, str] | None = None,
    calls: Iterable[str] = (),
) -> Record:
    """Returns the record of these calls, or of all, which the worker writes."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_EXCLUDED_PREFIXES)
    }
    file.unlink(missing_ok=True)
    with file.with_suffix(".log").open("w", encoding="utf-8") as log:
        subprocess.run(
            (python, "-m", "tests.side_by_side.worker", name, file, *calls),
            check=True,
            cwd=CHECKOUT,
            env={**inherited, **(variables or {})},
            stdout=log,
            stderr=log,
            timeout=_TIMEOUT_SECONDS,
        )
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Record(record)
