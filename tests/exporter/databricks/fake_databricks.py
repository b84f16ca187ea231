"""A fake Databricks workspace, with its cloud storage, on a loopback port.

It is as strict as the real ones, as far as their behaviour is known; see the comments
below. It records the requests, without credentials.
"""

# ruff: noqa: C901, PLR0911  # each endpoint has its requests and their responses

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.exporter.conftest import Response, error_response

from .fake_storage import FakeStorage
from .http_messages import DecodedRequest, decode_body, json_response

EXPERIMENT = "/Shared/deepseek-demo"
EXPERIMENT_ID = "1234567890123456"
_TAG_PREFIX = "mlflow.experiment.databricksTrace"


class FakeDatabricks:
    """A workspace. Tests change its attributes to change its behaviour.

    `table_prefix` is the prefix of the tables that all experiments are linked to, or
    None. `overrides` maps patterns of paths to responses.
    """

    def __init__(self):
        self.uri = ""
        self.table_prefix = None
        self.tokens = {"dapi-pat"}
        self.overrides = {}
        self.requests = []
        self.storage = FakeStorage()
        self.experiments = {}
        self.trace_infos = {}
        self.table_trace_infos = {}
        self.add_experiment(EXPERIMENT, EXPERIMENT_ID)

    def add_experiment(self, name, experiment_id):
        self.experiments[experiment_id] = {
            "experiment_id": experiment_id,
            "name": name,
            "lifecycle_stage": "active",
            "artifact_location": f"dbfs:/databricks/mlflow-tracking/{experiment_id}",
        }

    def requests_to(self, path, method=None):
        """The requests whose path matches the pattern, in order."""
        return [
            request
            for request in self.requests
            if re.search(path, request.path) and method in (None, request.method)
        ]

    def respond(self, method, target, headers, raw):
        parts = urlsplit(target)
        path, query = parts.path, dict(parse_qsl(parts.query))
        body = decode_body(headers, raw)
        recorded_headers = {
            name: value for name, value in headers.items() if name != "authorization"
        }
        self.requests.append(
            DecodedRequest(method, path, query, recorded_headers, body)
        )
        for pattern, response in self.overrides.items():
            if re.search(pattern, path):
                return response
        if path.startswith("/blob/"):
            return self.storage.respond(method, path, query, headers, raw)
        if path == "/.well-known/databricks-config":
            return json_response(
                {"oidc_endpoint": f"{self.uri}/oidc", "workspace_id": "1111"}
            )
        if path == "/oidc/.well-known/oauth-authorization-server":
            return json_response(
                {
                    "issuer": f"{self.uri}/oidc",
                    "authorization_endpoint": f"{self.uri}/oidc/v1/authorize",
                    "token_endpoint": f"{self.uri}/oidc/v1/token",
                }
            )
        if path == "/oidc/v1/token":
            self.tokens.add("m2m")
            token = {"access_token": "m2m", "token_type": "Bearer", "expires_in": 3600}
            return json_response(token)
        authorization = headers.get("authorization", "")
        if not authorization:
            return error_response(401, "UNAUTHENTICATED")
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return error_response(403, "PERMISSION_DENIED")
        if path.startswith("/api/2.0/mlflow/experiments/"):
            return self._experiments(method, path.rpartition("/")[2], query, body)
        if path == "/api/2.0/otel/v1/traces" and method == "POST":
            return self._spans_table(headers)
        return self._traces(method, path, body)

    def _experiments(self, method, operation, query, body):
        match method, operation:
            case "GET", "get-by-name":
                matches = [
                    experiment
                    for experiment in self.experiments.values()
                    if experiment["name"] == query.get("experiment_name")
                ]
            case "GET", "get":
                matches = [
                    experiment
                    for experiment_id, experiment in self.experiments.items()
                    if experiment_id == query.get("experiment_id")
                ]
            case "POST", "create":
                # https://github.com/mlflow/mlflow/issues/8269
                if not body["name"].startswith("/"):
                    return error_response(400, "INVALID_PARAMETER_VALUE")
                if any(
                    experiment["name"] == body["name"]
                    for experiment in self.experiments.values()
                ):
                    return error_response(400, "RESOURCE_ALREADY_EXISTS")
                experiment_id = str(2_000_000_000_000_000 + len(self.experiments))
                self.add_experiment(body["name"], experiment_id)
                return json_response({"experiment_id": experiment_id})
            case _:
                return error_response(404, "ENDPOINT_NOT_FOUND")
        if not matches:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")
        return json_response({"experiment": matches[0] | {"tags": self._tags}})

    @property
    def _tags(self):
        tags = {"mlflow.experimentType": "MLFLOW_EXPERIMENT"}
        if self.table_prefix:
            tags |= {
                f"{_TAG_PREFIX}DestinationPath": self.table_prefix,
                f"{_TAG_PREFIX}SpanStorageTable": f"{self.table_prefix}_otel_spans",
                f"{_TAG_PREFIX}LogStorageTable": f"{self.table_prefix}_otel_logs",
            }
        return [{"key": key, "value": value} for key, value in tags.items()]

    def _traces(self, method, path, body):
        if path == "/api/3.0/mlflow/traces" and method == "POST":
            return self._create_trace(body)
        if match := re.fullmatch(r"/api/4\.0/mlflow/traces/(.+)/(.+)/info", path):
            self.table_trace_infos[match[2]] = body
            return json_response(body)
        match = re.fullmatch(
            r"/api/[23]\.0/mlflow/traces/(tr-\w+)(/credentials-for-data-\w+)?", path
        )
        # A fake that accepts POST for credentials would be too lenient.
        if not match or method != "GET":
            return error_response(404, "ENDPOINT_NOT_FOUND")
        if match[1] not in self.trace_infos:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")
        if not match[2]:
            return json_response({"trace": {"trace_info": self.trace_infos[match[1]]}})
        credential = self.storage.credential(f"{self.uri}/blob/{match[1]}/traces.json")
        return json_response({"credential_info": credential})

    def _create_trace(self, body):
        info = body["trace"]["trace_info"]
        experiment_id = info["trace_location"]["mlflow_experiment"]["experiment_id"]
        if experiment_id not in self.experiments:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")
        if "spans" in body["trace"]:
            return error_response(400, "INVALID_PARAMETER_VALUE")
        location = f"dbfs:/databricks/mlflow-tracking/{experiment_id}"
        info["tags"] = info.get("tags", {}) | {
            "mlflow.artifactLocation": f"{location}/{info['trace_id']}"
        }
        self.trace_infos[info["trace_id"]] = info
        return json_response({"trace": {"trace_info": info}})

    def _spans_table(self, headers):
        if "x-databricks-uc-table-name" not in headers:
            return error_response(400, "INVALID_PARAMETER_VALUE")
        if headers.get("content-type") != "application/x-protobuf":
            return error_response(415, "INVALID_PARAMETER_VALUE")
        return Response(headers={"Content-Type": "application/x-protobuf"})


@contextmanager
def fake_databricks():
    workspace = FakeDatabricks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def respond(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            response = workspace.respond(self.command, self.path, headers, raw)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_PUT = do_PATCH = respond  # noqa: N815  # http.server's

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None
        workspace.uri = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield workspace
        server.shutdown()
