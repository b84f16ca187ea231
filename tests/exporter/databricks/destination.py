"""A Databricks destination, and the translated spans that are sent to it."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator
from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination

from .fake_databricks import EXPERIMENT


def new_destination(uri="databricks", **experiment):
    experiment = experiment or {"experiment_name": EXPERIMENT}
    return create_destination(
        tracking_uri=uri,
        experiment_id=experiment.get("experiment_id"),
        experiment_name=experiment.get("experiment_name"),
        timeout=5,
    )


def translate(spans):
    return BatchTranslator(promote_remote_root=True).translate(spans)


def export_error(destination, spans):
    with pytest.raises(ExportError) as raised:
        destination.send(spans)
    return raised.value
