"""A fake of an MLflow server that receives TraceInfo by REST."""

from __future__ import annotations

import json
import re

from tests.exporter.conftest import Response

V2 = "/api/2.0/mlflow/traces"
V3 = "/api/3.0/mlflow/traces"
TRACE_ID = r"/tr-[0-9a-f]{32}$"


class OldServer:
    """Responds as MLflow does. `tags` are those of new traces."""

    def __init__(self, fake_server, *missing_paths, spans_location=None):
        self.missing_paths = missing_paths
        self.tags = {
            "mlflow.artifactLocation": "mlflow-artifacts:/7/traces/tr-1/artifacts"
        }
        if spans_location:
            self.tags["mlflow.trace.spansLocation"] = spans_location
        fake_server.respond = self.respond
        self.requests = fake_server.requests

    def respond(self, request):
        path = f"{request.path}/"
        if any(path.startswith(f"{missing}/") for missing in self.missing_paths):
            return Response(404, b"<p>Not Found</p>", {"Content-Type": "text/html"})
        if request.path == V3:
            trace = json.loads(request.body)["trace"]
            trace["trace_info"]["tags"] |= self.tags
            return json_response({"trace": trace})
        if request.path.startswith(V3):
            body = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no trace"}
            return Response(
                404, json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
        if request.path.startswith(V2):
            tags = [{"key": key, "value": value} for key, value in self.tags.items()]
            return json_response({"trace_info": {"request_id": "1", "tags": tags}})
        return Response()

    @property
    def log(self):
        """Methods and paths, with `*` for the id of a trace."""
        return [
            f"{request.method} {re.sub(TRACE_ID, '/*', request.path)}"
            for request in self.requests
        ]


def json_response(body):
    return Response(
        200, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
