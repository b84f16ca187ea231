from __future__ import annotations

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.exporter.mlflow._mlflow_bridge import _missing_names
from opentelemetry.exporter.mlflow._mlflow_bridge._bridge import bridge

from .traced_application import Application


@pytest.fixture(autouse=True)
def reset_bridge():
    """Undo the changes of a test: instrumentor and bridge exist once per process."""
    yield
    if MlflowInstrumentor().is_instrumented_by_opentelemetry:
        MlflowInstrumentor().uninstrument()
    bridge._exporters.clear()
    bridge._has_parenting_failed = False
    _missing_names._logged.clear()


@pytest.fixture
def application(exporter):
    application = Application(exporter)
    MlflowInstrumentor().instrument(tracer_provider=application.provider)
    return application


@pytest.fixture
def mlflow_tracer(application):
    """The tracer of an MLflow provider, separate from the application's provider."""
    provider = TracerProvider(
        resource=Resource({"service.name": "mlflow"}), shutdown_on_exit=False
    )
    bridge._attach_to_mlflow(provider)
    return provider.get_tracer("mlflow")
