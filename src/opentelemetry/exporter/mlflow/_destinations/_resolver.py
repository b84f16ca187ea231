"""Which MLflow, and which experiment: named by whom, and until when."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._config import Setting
from opentelemetry.exporter.mlflow._destinations._experiment import Experiment
from opentelemetry.exporter.mlflow._destinations._fluent_state import (
    active_experiment,
    active_uri,
    same,
)
from opentelemetry.exporter.mlflow._destinations._protocol import (
    ExportError,
    TraceInfoReader,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._protocol import Destination

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_DEFAULT = "MLflow's default"
# Like MLflow's own, relative to the working directory.
_DEFAULT_URI = Setting("sqlite:///mlflow.db", _DEFAULT)
_DEFAULT_EXPERIMENT = Experiment("0", "", Setting("0", _DEFAULT))


class Choice(NamedTuple):
    uri: Setting
    experiment: Experiment


class DestinationResolver:
    """The `Destination` that arguments and environment name, or else the application.

    `uri` and `experiment` are what the first two say. An application calls
    `mlflow.set_tracking_uri` and `mlflow.set_experiment` when it likes, most often
    after the exporter was made: what is None is asked of it at each export, until it
    has said so, and then stays, for a program's traces should not scatter.

    Raises what `opened` raises for a `uri` that is not None.
    """

    def __init__(
        self,
        uri: Setting | None,
        experiment: Experiment | None,
        opened: Callable[[Choice], Destination],
    ) -> None:
        self._uri = uri
        self._experiment = experiment
        self._opened = opened
        # A handler of the log may end a span, and export it here and now.
        self._lock = threading.RLock()
        self._choice = Choice(uri or _DEFAULT_URI, experiment or _DEFAULT_EXPERIMENT)
        self._inner: Destination | None = None
        try:
            self._inner = opened(self._choice)
        except ImportError:
            if uri:
                raise
        self._has_told = False
        self._has_warned = False

    @property
    def address(self) -> str:
        opened = self._inner
        return opened.address if opened else str(_DEFAULT_URI.value)

    @property
    def wants_whole_traces(self) -> bool:
        try:
            return self._settled().wants_whole_traces
        except ExportError:  # so will `send`
            return False

    def is_at(self, tracking_uri: str) -> bool:
        """Whether MLflow's own client writes there, too, with that URI."""
        uri = self._uri or active_uri()
        return uri is None or same(uri, Setting(tracking_uri, ""))

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self._settled().send(spans)

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        inner = self._settled()
        return (
            inner.read_trace_info(trace_id)
            if isinstance(inner, TraceInfoReader)
            else None
        )

    def close(self) -> None:
        if self._inner:
            self._inner.close()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        if self._inner:
            self._inner.after_fork()

    def _settled(self) -> Destination:
        with self._lock:
            uri = self._uri or active_uri()
            experiment = self._experiment or active_experiment(uri)
            choice = Choice(uri or _DEFAULT_URI, experiment or _DEFAULT_EXPERIMENT)
            destination = self._inner
            if destination is None or choice != self._choice:
                destination = self._reopened(choice)
                self._has_told = False
            self._uri, self._experiment = uri, experiment
            self._tell()
            return destination

    def _reopened(self, choice: Choice) -> Destination:
        try:
            opened = self._opened(choice)
        except (ImportError, ValueError) as error:
            raise ExportError(
                str(error),
                "Or name another place, in the variable MLFLOW_TRACKING_URI",
            ) from None
        if self._inner:
            self._inner.close()
        self._inner, self._choice = opened, choice
        return opened

    def _tell(self) -> None:
        if not self._has_told:
            self._has_told = True
            uri, experiment = self._choice
            _logger.info(
                "Spans go to MLflow at %s (%s), into the experiment %s (%s)",
                self.address,
                uri.name,
                experiment.shown,
                experiment.by.name,
            )
        if not self._has_warned and self._has_moved():
            self._has_warned = True
            _logger.warning(
                "The application has turned to another place with "
                "mlflow.set_tracking_uri or mlflow.set_experiment. Spans go on to %s, "
                "into the experiment %s; a new MlflowSpanExporter would send them "
                "elsewhere. (This is said once.)",
                self.address,
                self._choice.experiment.shown,
            )

    def _has_moved(self) -> bool:
        """An argument is meant to hold whatever the application does."""
        uri, experiment = self._choice
        now, there = active_uri(), active_experiment(uri)
        return (now is not None and not uri.is_argument and now.value != uri.value) or (
            there is not None
            and experiment.id is not None
            and not experiment.by.is_argument
            and there.id != experiment.id
        )
