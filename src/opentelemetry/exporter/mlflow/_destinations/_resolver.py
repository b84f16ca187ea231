"""Determines the tracking URI and the experiment that spans are sent to."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.exporter.mlflow._config import Setting, strip_uri_secrets
from opentelemetry.exporter.mlflow._destinations._experiment import Experiment
from opentelemetry.exporter.mlflow._destinations._fluent_state import (
    active_experiment,
    active_tracking_uri,
    is_same_uri,
)
from opentelemetry.exporter.mlflow._destinations._protocol import (
    ExportError,
    TraceInfoReader,
)
from opentelemetry.exporter.mlflow._missing_package import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from opentelemetry.exporter.mlflow._destinations._protocol import (
        ResolvedDestination,
    )

_logger = logging.getLogger("opentelemetry.exporter.mlflow")

_DEFAULT = "MLflow's default"
# The same as MLflow's default. The path is relative to the working directory.
_DEFAULT_URI = Setting("sqlite:///mlflow.db", _DEFAULT)
_DEFAULT_EXPERIMENT = Experiment("0", "", Setting("0", _DEFAULT))


class Target(NamedTuple):
    tracking_uri: Setting
    experiment: Experiment


def _with_defaults(uri: Setting | None, experiment: Experiment | None) -> Target:
    return Target(uri or _DEFAULT_URI, experiment or _DEFAULT_EXPERIMENT)


class DestinationResolver:
    """The destination set by arguments, the environment, or else the application.

    `tracking_uri` and `experiment` come from arguments or the environment. An
    application may call `mlflow.set_tracking_uri` and `mlflow.set_experiment` at any
    time, usually after the exporter is created. A parameter that is None is therefore
    looked up there at each export. Once it has a value, it is fixed, so that the traces
    of one program stay together.

    Raises what `open_destination` raises, except ImportError if `tracking_uri` is None.
    """

    def __init__(
        self,
        tracking_uri: Setting | None,
        experiment: Experiment | None,
        open_destination: Callable[[Target], ResolvedDestination],
    ) -> None:
        self._tracking_uri = tracking_uri
        self._experiment = experiment
        self._open_destination = open_destination
        # A log handler may end a span that is exported at once, in the same thread.
        # The lock must be reentrant.
        self._lock = threading.RLock()
        self._target = _with_defaults(tracking_uri, experiment)
        self._destination: ResolvedDestination | None = None
        try:
            self._destination = open_destination(self._target)
        except ImportError:
            if tracking_uri:
                raise
        self._has_logged_target = False
        self._has_warned = False

    @property
    def address(self) -> str:
        destination = self._destination
        return destination.address if destination else str(_DEFAULT_URI.value)

    @property
    def target(self) -> str:
        """The address and the experiment, as one text without secrets.

        What waits for one target is not sent to another one.
        """
        uri, experiment = _with_defaults(*self._selection())
        return f"{strip_uri_secrets(uri.value or '')} experiment {experiment.label}"

    @property
    def wants_whole_traces(self) -> bool:
        try:
            return self._resolve().wants_whole_traces
        except ExportError:  # `send` raises it again.
            return False

    def has_tracking_uri(self, tracking_uri: str) -> bool:
        """Whether MLflow's client, with this tracking URI, writes to the same place."""
        uri = self._tracking_uri or active_tracking_uri()
        return uri is None or is_same_uri(uri, Setting(tracking_uri, ""))

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        self._resolve().send(spans)

    def read_trace_info(self, trace_id: int) -> Mapping[str, Any] | None:
        destination = self._resolve()
        return (
            destination.read_trace_info(trace_id)
            if isinstance(destination, TraceInfoReader)
            else None
        )

    def close(self) -> None:
        if self._destination:
            self._destination.close()

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        if self._destination:
            self._destination.after_fork()

    def _selection(self) -> tuple[Setting | None, Experiment | None]:
        uri = self._tracking_uri or active_tracking_uri()
        return uri, self._experiment or active_experiment(uri)

    def _resolve(self) -> ResolvedDestination:
        with self._lock:
            uri, experiment = self._selection()
            target = _with_defaults(uri, experiment)
            destination = self._destination
            if destination is None or target != self._target:
                destination = self._replace_destination(target)
                self._has_logged_target = False
            self._tracking_uri, self._experiment = uri, experiment
            self._log_target(destination)
            return destination

    def _replace_destination(self, target: Target) -> ResolvedDestination:
        try:
            destination = self._open_destination(target)
        except MissingPackageError as error:
            raise ExportError(error.cause, error.advice) from None
        except (ImportError, ValueError) as error:
            raise ExportError(
                str(error), "Or set MLFLOW_TRACKING_URI to another destination"
            ) from None
        if self._destination:
            self._destination.close()
        self._destination, self._target = destination, target
        return destination

    def _log_target(self, destination: ResolvedDestination) -> None:
        if not self._has_logged_target:
            self._has_logged_target = True
            uri, experiment = self._target
            description = destination.describe()
            _logger.info(
                "Exporting spans to MLflow at %s (%s), experiment %s (%s)%s",
                self.address,
                uri.name,
                experiment.label,
                experiment.setting.name,
                description and f": {description}",
            )
        if not self._has_warned and self._is_target_outdated():
            self._has_warned = True
            _logger.warning(
                "The application has selected another destination with "
                "mlflow.set_tracking_uri or mlflow.set_experiment. Spans are still "
                "exported to %s, experiment %s. To change the destination, create a "
                "new MlflowSpanExporter. This is logged once.",
                self.address,
                self._target.experiment.label,
            )

    def _is_target_outdated(self) -> bool:
        """Whether the application has selected another target since.

        An argument is meant to override the application, so it is never outdated.
        """
        target_uri, target_experiment = self._target
        uri, experiment = active_tracking_uri(), active_experiment(target_uri)
        return (
            uri is not None
            and not target_uri.is_argument
            and uri.value != target_uri.value
        ) or (
            experiment is not None
            and target_experiment.id is not None
            and not target_experiment.setting.is_argument
            and experiment.id != target_experiment.id
        )
