"""Every program in every way, and what is to be said of each."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ._calls import Call, Seen, model_calls
from ._judging import judged
from ._page import browsing, opened, shown, tab
from ._programs import PROGRAMS
from ._running import WAYS, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from mlflow import MlflowClient
    from playwright.sync_api import Page

    from ._running import Ran
    from ._table import Findings

# While some programs start, and others wait for their traces to be sent, the page of
# those that are over is read.
_AT_ONCE: Final = 3


def compare(uri: str, report: Callable[[str], object] = lambda _: None) -> Findings:
    """With the MLflow server at `uri`; needs Chromium."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)

    def ran(each: tuple[str, str]) -> Ran:
        title, way = each
        return run(way, PROGRAMS[title], client, f"{title} {way} {time.time_ns()}")

    runs = [(title, way) for title in PROGRAMS for way in WAYS]
    findings: Findings = {}
    with (
        ThreadPoolExecutor(_AT_ONCE) as running,
        browsing() as browser,
        tab(browser) as page,
    ):
        for (title, way), one in zip(runs, running.map(ran, runs), strict=True):
            seen = _seen(one, client, page)
            findings[title, way] = judged(seen)
            report(f"{title}, {way}: {len(seen.traces)} traces")
    return findings


def _seen(ran: Ran, client: MlflowClient, page: Page) -> Seen:
    spans = model_calls(ran.traces)
    if len(spans) != len(ran.exchanges):
        raise RuntimeError(f"{len(ran.exchanges)} calls, {len(spans)} spans")
    calls = []
    for exchange, span in zip(ran.exchanges, spans, strict=True):
        panel = opened(page, client.tracking_uri, ran.experiment_id, span)
        calls.append(Call(exchange, span, shown(page, panel)))
    of_type = f"span.type = '{ran.program.type}'"
    found = client.search_traces(locations=[ran.experiment_id], filter_string=of_type)
    return Seen(ran, calls, len(found))
