"""The requests that the fake workspace receives, and its responses."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)


@dataclass
class Request:
    """`body` is decoded. `headers` has no credentials."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_response(value, status=200):
    return Response(
        status, json.dumps(value).encode(), {"Content-Type": "application/json"}
    )


def error_response(status, error_code):
    return json_response(
        {"error_code": error_code, "message": "a secret, perhaps"}, status
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
