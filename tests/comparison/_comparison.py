"""Runs every program with every setup and checks the facts of its traces."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.mlflow_versions import _page as _old_page

from ._facts import FACTS, Cell, Rank, check_facts
from ._mlflow_page import SpanPanel, launch_browser, new_page, open_panel, read_panel
from ._program_run import SETUPS, run, search
from ._programs import PROGRAMS
from ._run_result import ModelCall, RunResult, model_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from mlflow import MlflowClient
    from mlflow.entities import Span
    from playwright.sync_api import Page

    from ._program_run import ProgramRun
    from ._table import Cells

# Programs run in the background while the pages of finished programs are read.
_MAX_CONCURRENT_RUNS: Final = 3


def compare(
    uri: str,
    report: Callable[[str], object] = lambda _: None,
    *,
    titles: Iterable[str] = PROGRAMS,
    setups: Iterable[str] = SETUPS,
    is_strict: bool = True,
) -> Cells:
    """Compares on the MLflow server at `uri`; needs Chromium.

    If `is_strict` is false, a program that fails or has no trace of its calls has no
    fact. Otherwise it raises RuntimeError.
    """
    from mlflow import MlflowClient

    client = MlflowClient(uri)

    def run_program(key: tuple[str, str]) -> ProgramRun | RuntimeError:
        title, setup = key
        name = f"{title} {setup} {time.time_ns()}"
        try:
            return run(setup, PROGRAMS[title], client, name)
        except RuntimeError as error:
            if is_strict:
                raise
            return error

    keys = [(title, setup) for title in titles for setup in setups]
    cells: Cells = {}
    with (
        ThreadPoolExecutor(_MAX_CONCURRENT_RUNS) as executor,
        launch_browser() as browser,
        new_page(browser) as page,
    ):
        runs = executor.map(run_program, keys)
        for (title, setup), program_run in zip(keys, runs, strict=True):
            facts, message = _check(program_run, client, page, is_strict=is_strict)
            cells[title, setup] = facts
            report(f"{title}, {setup}: {message}")
    _apply_to_all_setups(cells)
    return cells


def _apply_to_all_setups(cells: Cells) -> None:
    """Where a fact does not apply to a program, a setup without traces is no worse."""
    without = {
        (title, fact)
        for (title, _), facts in cells.items()
        for fact, cell in facts.items()
        if cell.rank is None
    }
    for (title, _), facts in cells.items():
        facts.update({fact: Cell(None) for fact in facts if (title, fact) in without})


def _check(
    run: ProgramRun | RuntimeError, client: MlflowClient, page: Page, *, is_strict: bool
) -> tuple[dict[str, Cell], str]:
    """Returns the cells of a run and a message about it."""
    try:
        if isinstance(run, RuntimeError):
            raise run
        result = _read_result(run, client, page)
    except RuntimeError as error:
        if is_strict:
            raise
        return dict.fromkeys(FACTS, Cell(Rank.MISSING)), str(error)[-500:]
    return check_facts(result), f"{len(result.traces)} traces"


def _read_result(run: ProgramRun, client: MlflowClient, page: Page) -> RunResult:
    spans = model_calls(run.traces)
    if len(spans) != len(run.exchanges):
        raise RuntimeError(f"{len(run.exchanges)} calls, {len(spans)} spans")
    calls = [
        ModelCall(exchange, span, _read_page(run, client.tracking_uri, page, span))
        for exchange, span in zip(run.exchanges, spans, strict=True)
    ]
    return RunResult(run, calls, _number_found_by_type(run, client))


def _read_page(run: ProgramRun, uri: str, page: Page, span: Span) -> SpanPanel:
    if _old_page.has_address_of_trace(uri):
        return read_panel(page, open_panel(page, uri, run.experiment_id, span))
    text = _old_page.read_span(
        page, uri, run.experiment_id, span.trace_id, span.span_id
    )
    # A chat has no parts. It begins as those of the new page do.
    chat = f"User\n{text.chat}" if text.chat else text.inputs_and_outputs
    return SpanPanel(text.tool_count, chat, chat, text.events)


def _number_found_by_type(run: ProgramRun, client: MlflowClient) -> int:
    from mlflow.exceptions import MlflowException

    try:
        condition = f"span.type = '{run.program.span_type}'"
        return len(search(client, run.experiment_id, condition))
    except MlflowException:  # before MLflow 3.5
        return 0
