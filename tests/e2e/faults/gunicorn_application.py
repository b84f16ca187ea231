"""A WSGI application whose provider is created before gunicorn's workers are forked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .exporters import create_exporter

if TYPE_CHECKING:
    from collections.abc import Callable

SPANS_PER_REQUEST = 5
SPANS_OF_MASTER = 1


def create_application() -> Callable[..., Any]:
    """Creates the application, and ends a span in the process that creates it."""
    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(create_exporter(os.environ["FAULTS_EXPORTER"]))
    )
    tracer = provider.get_tracer("faults")
    tracer.start_span("preload").end()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        with tracer.start_as_current_span("request"):
            for _ in range(SPANS_PER_REQUEST - 1):
                tracer.start_span("step").end()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]

    return application
