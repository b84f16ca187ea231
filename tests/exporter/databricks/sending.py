"""Sending spans to a workspace as the exporter does."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow._batch_translator import BatchTranslator
from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination

from .fake import EXPERIMENT


def to(uri="databricks", **given):
    given = given or {"experiment_name": EXPERIMENT}
    return create_destination(
        tracking_uri=uri,
        experiment_id=given.get("experiment_id"),
        experiment_name=given.get("experiment_name"),
        timeout=5,
    )


def mapped(spans):
    return BatchTranslator(promote_remote_root=True).translate(spans)


def refused(place, spans):
    with pytest.raises(ExportError) as caught:
        place.send(spans)
    return caught.value
