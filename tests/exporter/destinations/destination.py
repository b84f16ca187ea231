"""A new destination, and the ExportError that it raises."""

from __future__ import annotations

import socket

import pytest

from opentelemetry.exporter.mlflow._destinations import ExportError, create_destination


def new_destination(
    tracking_uri=None, experiment_id=None, experiment_name=None, timeout=None
):
    return create_destination(
        tracking_uri=tracking_uri,
        experiment_id=experiment_id,
        experiment_name=experiment_name,
        timeout=timeout,
    )


def export_error(destination, spans):
    with pytest.raises(ExportError) as raised:
        destination.send(spans)
    return raised.value


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
