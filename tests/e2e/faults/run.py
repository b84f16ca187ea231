"""Runs a program against MLflow, with a fault in between."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .disturbances import Site
from .fault_proxy import FaultProxy
from .faults import no_fault
from .outcome import Outcome
from .program import Program
from .retry_after import CEILING_SECONDS
from .sender import INPUT_TOKENS, SPANS_PER_TRACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .disturbances import Disturbance
    from .fault_proxy import Schedule
    from .mlflow_backend import MlflowBackend

_COMMIT_TIMEOUT_SECONDS = 30
# Longer than any delay between two retries.
_IDLE_SECONDS = CEILING_SECONDS + 10


@dataclass(frozen=True)
class Run:
    """One run of a program, as data.

    `module` is the program, which takes `arguments`. `schedule` makes the faults, and
    `disturbance` is what happens to MLflow meanwhile. If `drain_seconds` is not 0, the
    program runs on until everything has arrived but `expected_missing` spans, at most
    that long after the fault.
    Without `stores_spans`, the proxy accepts the spans in the place of MLflow.
    """

    arguments: tuple[str, ...]
    schedule: Callable[[], Schedule] = lambda: no_fault
    disturbance: Disturbance | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])
    has_spool: bool = False
    drain_seconds: float = 0.0
    expected_missing: int = 0
    module: str = "sender"
    stores_spans: bool = True

    def __call__(self, mlflow: MlflowBackend, exporter: str) -> Outcome:
        experiment_id = mlflow.create_experiment()
        with (
            FaultProxy(
                mlflow.address if self.stores_spans else None, self.schedule()
            ) as proxy,
            tempfile.TemporaryDirectory("-spool") as spool,
        ):
            settings = dict(self.settings)
            if self.has_spool:
                settings["OTEL_EXPORTER_MLFLOW_SPOOL"] = spool
            site = Site(mlflow, proxy, experiment_id)
            with Program(
                self.module,
                ["--exporter", exporter, *self.arguments],
                proxy.uri,
                experiment_id,
                settings,
                waits=bool(self.drain_seconds),
            ) as program:
                return self._observe(program, site)

    def _observe(self, program: Program, site: Site) -> Outcome:
        proxy = site.proxy
        program.read("started")
        proxy.restart_clock()
        thread = _DisturbanceThread(self.disturbance, site)
        thread.start()
        sent = program.read("sent")["spans"]
        if self.drain_seconds:
            thread.join()
            least = sent - self.expected_missing
            wait_until(
                lambda: _stored_count(proxy) >= least or _is_idle(proxy),
                self.drain_seconds,
            )
        ended_at = time.time()
        values, end_seconds = program.end()
        thread.join()
        # The client may not know of an export that MLflow stores.
        wait_until(lambda: not proxy.has_open_exchange, _COMMIT_TIMEOUT_SECONDS)
        return Outcome(
            sent=sent,
            arrived=(
                site.mlflow.span_ids(site.experiment_id)
                if self.stores_spans
                else [id_ for e in proxy.exports if e.is_stored for id_ in e.span_ids]
            ),
            dropped=values.get("dropped"),
            input_tokens=site.mlflow.input_tokens(site.experiment_id),
            expected_input_tokens=-(-sent // SPANS_PER_TRACE) * INPUT_TOKENS,
            end_seconds=end_seconds,
            memory_slope=values.get("memory_slope"),
            block_slope=values.get("block_slope"),
            p99_milliseconds=values.get("p99_milliseconds", 0.0),
            memory_growth=values.get("memory_growth", 0),
            longest_export=values.get("longest_export", 0.0),
            back_at=thread.ended_at,
            ended_at=ended_at,
            exports=proxy.exports,
            log_record_count=sum(
                exchange.log_record_count
                for exchange in proxy.exchanges
                if exchange.path.endswith("/v1/logs")
            ),
            log=program.log,
        )


def _is_idle(proxy: FaultProxy) -> bool:
    """Whether the program does not retry any more."""
    last = proxy.exports[-1].start if proxy.exports else time.time()
    return not proxy.has_open_exchange and time.time() - last > _IDLE_SECONDS


class _DisturbanceThread(threading.Thread):
    """`ended_at` is the time of time.time of the end."""

    def __init__(self, disturbance: Disturbance | None, site: Site) -> None:
        super().__init__(daemon=True)
        self._disturbance = disturbance
        self._site = site
        self.ended_at = 0.0

    def run(self) -> None:
        if self._disturbance:
            self._disturbance.run(self._site)
        self.ended_at = time.time()


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.1)


def _stored_count(proxy: FaultProxy) -> int:
    stored = [e.span_ids for e in proxy.exports if e.is_stored]
    return len(frozenset[bytes]().union(*stored))
