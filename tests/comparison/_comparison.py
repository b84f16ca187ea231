"""Runs every program with every setup and checks the facts of its traces."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ._facts import check_facts
from ._mlflow_page import launch_browser, new_page, open_panel, read_panel
from ._program_run import SETUPS, run
from ._programs import PROGRAMS
from ._run_result import ModelCall, RunResult, model_calls

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from mlflow import MlflowClient
    from playwright.sync_api import Page

    from ._program_run import ProgramRun
    from ._table import Cells

# Programs run in the background while the pages of finished programs are read.
_MAX_CONCURRENT_RUNS: Final = 3


def compare(uri: str, report: Callable[[str], object] = lambda _: None) -> Cells:
    """Compares on the MLflow server at `uri`; needs Chromium."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)

    def run_program(key: tuple[str, str]) -> ProgramRun:
        title, setup = key
        name = f"{title} {setup} {time.time_ns()}"
        return run(setup, PROGRAMS[title], client, name)

    keys = [(title, setup) for title in PROGRAMS for setup in SETUPS]
    cells: Cells = {}
    with (
        ThreadPoolExecutor(_MAX_CONCURRENT_RUNS) as executor,
        launch_browser() as browser,
        new_page(browser) as page,
    ):
        runs = executor.map(run_program, keys)
        for (title, setup), program_run in zip(keys, runs, strict=True):
            result = _read_result(program_run, client, page)
            cells[title, setup] = check_facts(result)
            report(f"{title}, {setup}: {len(result.traces)} traces")
    return cells


def _read_result(run: ProgramRun, client: MlflowClient, page: Page) -> RunResult:
    spans = model_calls(run.traces)
    if len(spans) != len(run.exchanges):
        raise RuntimeError(f"{len(run.exchanges)} calls, {len(spans)} spans")
    calls = []
    for exchange, span in zip(run.exchanges, spans, strict=True):
        panel = open_panel(page, client.tracking_uri, run.experiment_id, span)
        calls.append(ModelCall(exchange, span, read_panel(page, panel)))
    traces = client.search_traces(
        locations=[run.experiment_id],
        filter_string=f"span.type = '{run.program.span_type}'",
    )
    return RunResult(run, calls, len(traces))
