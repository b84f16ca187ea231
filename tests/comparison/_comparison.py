"""Runs every program with every setup and checks the facts of its traces."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.mlflow_versions import _page as _old_page

from ._facts import FACTS, Cell, Rank, check_facts
from ._mlflow_page import SpanPanel, launch_browser, new_page, open_panel, read_panel
from ._program_run import SETUPS, NoResultError, missing_in_mlflow, run, search
from ._programs import PROGRAMS
from ._run_result import ModelCall, RunResult, model_calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
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
    failures: dict[tuple[str, str], str] | None = None,
    autolog_python: Path | None = None,
) -> Cells:
    """Compares on the MLflow server at `uri`; needs Chromium.

    A program that fails or has no trace of its calls raises NoResultError. If
    `failures` is given, the reason is added to it instead, and the program has no fact.
    """
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    missing = {} if failures is None else missing_in_mlflow(uri)

    def run_program(key: tuple[str, str]) -> ProgramRun | NoResultError:
        title, setup = key
        if setup in missing:
            return NoResultError(missing[setup])
        name = f"{title} {setup} {time.time_ns()}"
        try:
            return run(setup, PROGRAMS[title], client, name, autolog_python)
        except NoResultError as error:
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
            result = _read_result(program_run, client, page)
            if not isinstance(result, NoResultError):
                cells[title, setup] = check_facts(result)
                report(f"{title}, {setup}: {len(result.traces)} traces")
                continue
            if failures is None:
                raise result
            failures[title, setup] = result.reason
            cells[title, setup] = dict.fromkeys(FACTS, Cell(Rank.MISSING))
            report(f"{title}, {setup}: {result}")
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


def _read_result(
    run: ProgramRun | NoResultError, client: MlflowClient, page: Page
) -> RunResult | NoResultError:
    if isinstance(run, NoResultError):
        return run
    spans = model_calls(run.traces)
    if len(spans) != len(run.exchanges):
        return NoResultError(f"{len(spans)} spans of {len(run.exchanges)} calls")
    calls = [
        ModelCall(exchange, span, _read_page(run, client.tracking_uri, page, span))
        for exchange, span in zip(run.exchanges, spans, strict=True)
    ]
    return RunResult(run, calls, _number_found_by_type(run, client))


def _read_page(run: ProgramRun, uri: str, page: Page, span: Span) -> SpanPanel:
    if _old_page.has_address_of_trace(uri):
        return read_panel(page, open_panel(page, uri, run.experiment_id, span))
    from playwright.sync_api import Error as PlaywrightError

    try:
        text = _old_page.read_span(
            page, uri, run.experiment_id, span.trace_id, span.span_id
        )
    except (PlaywrightError, _old_page.SpanNotShownError) as error:
        print(f"page: {error}", file=sys.stderr)  # noqa: T201  # the other facts count
        return SpanPanel(0, "", "", "")
    # A chat has no parts. It begins as those of the new page do.
    chat = f"User\n{text.chat}" if text.chat else text.inputs_and_outputs
    return SpanPanel(text.tool_count, chat, chat, text.events)


def _number_found_by_type(run: ProgramRun, client: MlflowClient) -> int | None:
    from mlflow.exceptions import MlflowException

    try:
        condition = f"span.type = '{run.program.span_type}'"
        return len(search(client, run.experiment_id, condition))
    except MlflowException:  # an MLflow without this search
        return None
