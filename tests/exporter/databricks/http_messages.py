"""The requests that the fake workspace receives, and its JSON responses."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from tests.exporter.conftest import Response


@dataclass
class DecodedRequest:
    """A request with its body as JSON or text. `headers` has no credentials."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def json_response(value):
    return Response(
        body=json.dumps(value).encode(), headers={"Content-Type": "application/json"}
    )


def decode_body(headers, raw):
    content = gzip.decompress(raw) if headers.get("content-encoding") == "gzip" else raw
    if "protobuf" in headers.get("content-type", ""):
        return MessageToDict(
            ExportTraceServiceRequest.FromString(content),
            preserving_proto_field_name=True,
        )
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
