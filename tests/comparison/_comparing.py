"""Every program in every way, and what is to be said of each."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ._calls import Call, Seen, model_calls
from ._judging import judged
from ._page import browsing, opened, shown, tab
from ._programs import PROGRAMS
from ._running import WAYS, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow import MlflowClient
    from playwright.sync_api import Page

    from ._programs import Program
    from ._table import Findings


def compare(uri: str, report: Callable[[str], object] = lambda _: None) -> Findings:
    """With the MLflow server at `uri`; needs Chromium."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    findings: Findings = {}
    with browsing() as browser:
        for title, program in PROGRAMS.items():
            for way in WAYS:
                with tab(browser) as page:
                    seen = _seen(way, program, client, page)
                findings[title, way] = judged(seen)
                report(f"{title}, {way}: {len(seen.traces)} traces")
    return findings


def _seen(way: str, program: Program, client: MlflowClient, page: Page) -> Seen:
    ran = run(way, program, client, f"{program.title} {way} {time.time_ns()}")
    spans = model_calls(ran.traces)
    if len(spans) != len(ran.exchanges):
        raise RuntimeError(f"{len(ran.exchanges)} calls, {len(spans)} spans")
    calls = []
    for exchange, span in zip(ran.exchanges, spans, strict=True):
        panel = opened(page, client.tracking_uri, ran.experiment_id, span)
        calls.append(Call(exchange, span, shown(page, panel)))
    found = client.search_traces(
        locations=[ran.experiment_id], filter_string=f"span.type = '{program.type}'"
    )
    return Seen(ran, calls, len(found))
