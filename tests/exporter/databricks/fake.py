"""A stand-in for a Databricks workspace and its cloud storage, on a loopback port.

As strict as the real ones, as far as that is known: see the paths below. It keeps what
it is sent, with credentials left out.
"""

# ruff: noqa: C901, PLR0911  # a server is a long list of what it answers

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .exchange import Answered, Sent, body_of, error, said

EXPERIMENT = "/Shared/deepseek-demo"
EXPERIMENT_ID = "1234567890123456"
KINDS = [
    "AWS_PRESIGNED_URL",
    "GCP_SIGNED_URL",
    "AZURE_SAS_URI",
    "AZURE_ADLS_GEN2_SAS_URI",
]
_LINK = "mlflow.experiment.databricksTrace"


class FakeDatabricks:
    """`linked` is the prefix of tables that experiments are linked to.

    `kind` is the cloud's; `fail` maps patterns of paths to answers.
    """

    def __init__(self):
        self.uri = ""
        self.linked = None
        self.kind = "AWS_PRESIGNED_URL"
        self.tokens = {"dapi-pat"}
        self.fail = {}
        self.requests = []
        self.experiments = {}
        self.traces = {}
        self.blobs = {}
        self.blocks = {}
        self.rows = {}
        self.add(EXPERIMENT, EXPERIMENT_ID)

    def add(self, name, number):
        self.experiments[number] = {
            "experiment_id": number,
            "name": name,
            "lifecycle_stage": "active",
            "artifact_location": f"dbfs:/databricks/mlflow-tracking/{number}",
        }

    def sent(self, path, method=None):
        """The requests whose path matches, in order."""
        return [
            one
            for one in self.requests
            if re.search(path, one.path) and method in (None, one.method)
        ]

    def answer(self, method, target, headers, raw):
        parts = urlsplit(target)
        path, query = parts.path, dict(parse_qsl(parts.query))
        body = body_of(headers, raw)
        shown = {n: v for n, v in headers.items() if n != "authorization"}
        self.requests.append(Sent(method, path, query, shown, body))
        for pattern, answer in self.fail.items():
            if re.search(pattern, path):
                return answer
        if path.startswith("/blob/"):
            return self.storage(method, path, query, headers, raw)
        if path == "/.well-known/databricks-config":
            return said({"oidc_endpoint": f"{self.uri}/oidc", "workspace_id": "1111"})
        if path == "/oidc/.well-known/oauth-authorization-server":
            return said(
                {
                    "issuer": f"{self.uri}/oidc",
                    "authorization_endpoint": f"{self.uri}/oidc/v1/authorize",
                    "token_endpoint": f"{self.uri}/oidc/v1/token",
                }
            )
        if path == "/oidc/v1/token":
            self.tokens.add("m2m")
            token = {"access_token": "m2m", "token_type": "Bearer", "expires_in": 3600}
            return said(token)
        authorization = headers.get("authorization", "")
        if not authorization:
            return error(401, "UNAUTHENTICATED")
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return error(403, "PERMISSION_DENIED")
        if path.startswith("/api/2.0/mlflow/experiments/"):
            return self.experiment(method, path.rpartition("/")[2], query, body)
        if path == "/api/2.0/otel/v1/traces" and method == "POST":
            return self.table(headers)
        return self.trace(method, path, body)

    def experiment(self, method, what, query, body):
        match method, what:
            case "GET", "get-by-name":
                name = query.get("experiment_name")
                found = [e for e in self.experiments.values() if e["name"] == name]
            case "GET", "get":
                found = [
                    e
                    for number, e in self.experiments.items()
                    if number == query.get("experiment_id")
                ]
            case "POST", "create":
                # https://github.com/mlflow/mlflow/issues/8269
                if not body["name"].startswith("/"):
                    return error(400, "INVALID_PARAMETER_VALUE")
                if any(e["name"] == body["name"] for e in self.experiments.values()):
                    return error(400, "RESOURCE_ALREADY_EXISTS")
                number = str(2_000_000_000_000_000 + len(self.experiments))
                self.add(body["name"], number)
                return said({"experiment_id": number})
            case _:
                return error(404, "ENDPOINT_NOT_FOUND")
        if not found:
            return error(404, "RESOURCE_DOES_NOT_EXIST")
        return said({"experiment": found[0] | {"tags": self.tags}})

    @property
    def tags(self):
        tags = {"mlflow.experimentType": "MLFLOW_EXPERIMENT"}
        if self.linked:
            tags |= {
                f"{_LINK}DestinationPath": self.linked,
                f"{_LINK}SpanStorageTable": f"{self.linked}_otel_spans",
                f"{_LINK}LogStorageTable": f"{self.linked}_otel_logs",
            }
        return [{"key": key, "value": value} for key, value in tags.items()]

    def trace(self, method, path, body):
        if path == "/api/3.0/mlflow/traces" and method == "POST":
            info = body["trace"]["trace_info"]
            number = info["trace_location"]["mlflow_experiment"]["experiment_id"]
            if number not in self.experiments:
                return error(404, "RESOURCE_DOES_NOT_EXIST")
            if "spans" in body["trace"]:
                return error(400, "INVALID_PARAMETER_VALUE")
            place = f"dbfs:/databricks/mlflow-tracking/{number}/{info['trace_id']}"
            info["tags"] = info.get("tags", {}) | {"mlflow.artifactLocation": place}
            self.traces[info["trace_id"]] = info
            return said({"trace": {"trace_info": info}})
        if found := re.fullmatch(r"/api/4\.0/mlflow/traces/(.+)/(.+)/info", path):
            self.rows[found[2]] = body
            return said(body)
        found = re.fullmatch(
            r"/api/[23]\.0/mlflow/traces/(tr-\w+)(/credentials-for-data-\w+)?", path
        )
        # A POST for credentials would pass a fake that is less strict.
        if not found or method != "GET":
            return error(404, "ENDPOINT_NOT_FOUND")
        if found[1] not in self.traces:
            return error(404, "RESOURCE_DOES_NOT_EXIST")
        if not found[2]:
            return said({"trace": {"trace_info": self.traces[found[1]]}})
        encryption = {"name": "x-amz-server-side-encryption", "value": "AES256"}
        credential = {
            "type": self.kind,
            "signed_uri": f"{self.uri}/blob/{found[1]}/traces.json?sig=s3cr3t",
            "headers": [encryption],
        }
        return said({"credential_info": credential})

    def table(self, headers):
        if "x-databricks-uc-table-name" not in headers:
            return error(400, "INVALID_PARAMETER_VALUE")
        if headers.get("content-type") != "application/x-protobuf":
            return error(415, "INVALID_PARAMETER_VALUE")
        return Answered(headers={"Content-Type": "application/x-protobuf"})

    def storage(self, method, path, query, headers, raw):
        # Each cloud refuses a credential beside the signature.
        if "authorization" in headers or query.get("sig") != "s3cr3t":
            return Answered(400)
        # And Azure headers that it does not know.
        foreign = [name for name in headers if name.startswith("x-amz-")]
        if self.kind.startswith("AZURE") and foreign and method != "GET":
            return Answered(400)
        if method == "GET":
            stored = self.blobs.get(path)
            return Answered(404) if stored is None else Answered(body=stored)
        match self.kind, method, query:
            case "AZURE_SAS_URI", "PUT", {"comp": "block", "blockid": block}:
                if headers.get("x-ms-blob-type") != "BlockBlob":
                    return Answered(400)
                self.blocks[block] = raw
                return Answered(201)
            case "AZURE_SAS_URI", "PUT", {"comp": "blocklist"}:
                blocks = re.findall("<Uncommitted>(.*?)</Uncommitted>", raw.decode())
                self.blobs[path] = b"".join(self.blocks[block] for block in blocks)
                return Answered(201)
            case "AZURE_ADLS_GEN2_SAS_URI", "PUT", {"resource": "file"}:
                self.blobs[path] = b""
                return Answered(201)
            case (
                "AZURE_ADLS_GEN2_SAS_URI",
                "PATCH",
                {"action": "append", "position": "0", "flush": "true"},
            ):
                self.blobs[path] += raw
                return Answered(202)
            case (("AWS_PRESIGNED_URL" | "GCP_SIGNED_URL"), "PUT", _):
                # Part of what was signed.
                if headers.get("x-amz-server-side-encryption") != "AES256":
                    return Answered(403)
                self.blobs[path] = raw
                return Answered(200)
            case _:
                return Answered(403)


@contextmanager
def fake_databricks():
    fake = FakeDatabricks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def answer(self):
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = fake.answer(self.command, self.path, headers, raw)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815  # http.server's

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None
        fake.uri = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield fake
        server.shutdown()
