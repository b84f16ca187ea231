"""Where requests to a workspace go, and the spans that have arrived there."""

from __future__ import annotations

import json

SPANS = "/blob/"
ROW = r"^/api/3.0/mlflow/traces$"
INFO = r"^/api/4.0/mlflow/traces/.*/info$"
OTLP = r"^/api/2.0/otel/v1/traces$"


def blob(fake, span):
    path = f"/blob/tr-{span.context.trace_id:032x}/traces.json"
    return json.loads(fake.blobs[path])["spans"]


def in_tables(fake):
    return [
        span
        for request in fake.sent(OTLP)
        for of_resource in request.body["resource_spans"]
        for of_scope in of_resource["scope_spans"]
        for span in of_scope["spans"]
    ]


def typed(fake):
    """The spans of all requests, by their id."""
    return {
        span["span_id"]: span
        | {"attributes": {a["key"]: a["value"] for a in span["attributes"]}}
        for span in in_tables(fake)
    }
