"""What the stand-in for a workspace is sent, and what it answers."""

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
class Sent:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Answered:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def said(value, status=200):
    return Answered(
        status, json.dumps(value).encode(), {"Content-Type": "application/json"}
    )


def error(status, code):
    return said({"error_code": code, "message": "a secret, perhaps"}, status)


def body_of(headers, raw):
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
