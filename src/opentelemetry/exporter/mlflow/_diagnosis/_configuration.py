"""The settings, read and validated as the exporter does it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator
from opentelemetry.exporter.mlflow._config import (
    Setting,
    parse_boolean,
    read_setting,
)
from opentelemetry.exporter.mlflow._content._redaction import load_redaction
from opentelemetry.exporter.mlflow._delivery._spool_settings import read_spool_settings
from opentelemetry.exporter.mlflow._destinations import (
    create_destination,
    export_timeout,
)
from opentelemetry.exporter.mlflow._destinations._experiment import (
    Experiment,
    configured_experiment,
)
from opentelemetry.exporter.mlflow._pricing._price_file import load_price_list
from opentelemetry.exporter.mlflow._span_translator import SpanTranslator
from opentelemetry.exporter.mlflow.environment_variables import (
    MLFLOW_TRACKING_URI,
    OTEL_EXPORTER_MLFLOW_ENDPOINT,
    OTEL_EXPORTER_MLFLOW_PRICES,
    OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT,
    OTEL_EXPORTER_MLFLOW_REDACT,
)

if TYPE_CHECKING:
    from opentelemetry.exporter.mlflow._delivery._spool_settings import SpoolSettings
    from opentelemetry.exporter.mlflow._destinations._collector import (
        CollectorDestination,
    )
    from opentelemetry.exporter.mlflow._destinations._resolver import (
        DestinationResolver,
    )

_DEFAULT: Final = "MLflow's default"


class DestinationKind(Enum):
    SERVER = "MLflow server"
    LOCAL_STORE = "local store"
    DATABRICKS = "Databricks workspace"
    COLLECTOR = "OTLP receiver"


class Configuration(NamedTuple):
    """Where spans go. `uri` and `experiment` are those of MLflow."""

    kind: DestinationKind
    destination: DestinationResolver | CollectorDestination
    uri: Setting
    experiment: Experiment
    timeout: float
    translator: BatchTranslator
    spool: SpoolSettings | None

    @property
    def summary(self) -> str:
        if self.kind is DestinationKind.COLLECTOR:
            return (
                f"spans go to the OTLP receiver at {self.destination.address} "
                f"({OTEL_EXPORTER_MLFLOW_ENDPOINT}), which selects the experiment"
            )
        return (
            f"spans go to the {self.kind.value} {self.destination.address} "
            f"({self.uri.name}), experiment {self.experiment.label} "
            f"({self.experiment.setting.name})"
        )


def read_configuration(spool: str | None) -> Configuration:
    """Raises ValueError or ImportError, as the constructor of the exporter does.

    `spool` is a folder, or None to read OTEL_EXPORTER_MLFLOW_SPOOL.
    """
    translator = BatchTranslator(
        promote_remote_root=parse_boolean(
            read_setting(None, "", OTEL_EXPORTER_MLFLOW_PROMOTE_REMOTE_ROOT),
            default=True,
        ),
        translator=SpanTranslator(
            load_price_list(read_setting(None, "", OTEL_EXPORTER_MLFLOW_PRICES)),
            load_redaction(None, read_setting(None, "", OTEL_EXPORTER_MLFLOW_REDACT)),
        ),
    )
    spool_settings = read_spool_settings(spool)
    destination = create_destination(
        tracking_uri=None, experiment_id=None, experiment_name=None, timeout=None
    )
    uri = read_setting(None, "", MLFLOW_TRACKING_URI)
    if uri.value is None:
        uri = Setting(destination.address, _DEFAULT)
    return Configuration(
        _destination_kind(uri),
        destination,
        uri,
        configured_experiment(None, None)
        or Experiment("0", "", Setting("0", _DEFAULT)),
        export_timeout(None),
        translator,
        spool_settings,
    )


def _destination_kind(uri: Setting) -> DestinationKind:
    if read_setting(None, "", OTEL_EXPORTER_MLFLOW_ENDPOINT).value:
        return DestinationKind.COLLECTOR
    match (uri.value or "").lower().partition(":")[0]:
        case "http" | "https":
            return DestinationKind.SERVER
        case "databricks":
            return DestinationKind.DATABRICKS
        case _:
            return DestinationKind.LOCAL_STORE
