"""The paths of requests to the fake workspace, and what it has received."""

from __future__ import annotations

import json

STORAGE = "/blob/"
TRACE_INFO_V3 = r"^/api/3.0/mlflow/traces$"
TRACE_INFO_V4 = r"^/api/4.0/mlflow/traces/.*/info$"
OTLP = r"^/api/2.0/otel/v1/traces$"


def stored_spans(workspace, span):
    """The spans in the file of the trace that `span` belongs to."""
    path = f"/blob/tr-{span.context.trace_id:032x}/traces.json"
    return json.loads(workspace.storage.files[path])["spans"]


def sent_trace_infos(workspace):
    """TraceInfo of each trace that was created, in the order of the requests."""
    return [
        request.body["trace"]["trace_info"]
        for request in workspace.requests_to(TRACE_INFO_V3)
    ]


def table_spans(workspace):
    """The spans of all OTLP requests."""
    return [
        span
        for request in workspace.requests_to(OTLP)
        for resource_spans in request.body["resource_spans"]
        for scope_spans in resource_spans["scope_spans"]
        for span in scope_spans["spans"]
    ]


def table_spans_by_id(workspace):
    """The spans of all OTLP requests, with their attributes as a dict."""
    return {
        span["span_id"]: span
        | {
            "attributes": {
                attribute["key"]: attribute["value"] for attribute in span["attributes"]
            }
        }
        for span in table_spans(workspace)
    }
