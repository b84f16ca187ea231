from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from opentelemetry.exporter.mlflow._delivery._encoded_spans import encode_request
from opentelemetry.exporter.mlflow._delivery._memory_queue import MemoryQueue
from opentelemetry.exporter.mlflow._delivery._spool import Spool
from opentelemetry.exporter.mlflow._diagnosis import _probe
from opentelemetry.exporter.mlflow._diagnosis._command import main
from tests.exporter.conftest import Response, error_response


@pytest.fixture(autouse=True)
def short_delay(monkeypatch):
    monkeypatch.setattr(_probe, "_READ_DELAY_SECONDS", 0.001)


@pytest.fixture
def run_command(run_all_checks):
    """As `run_all_checks`, without the lines about the program."""

    def run(*arguments):
        status, lines = run_all_checks(*arguments)
        for check in ("exporters", "content", "hosts"):
            del lines[check]
        return status, lines

    return run


@pytest.fixture
def run_all_checks(capfd):
    """A function that returns the exit status, and the lines by check."""

    def run(*arguments):
        status = main(arguments)
        lines = {}
        for line in capfd.readouterr().out.splitlines():
            outcome, _, rest = line.partition(" ")
            check, _, text = rest.strip().partition(": ")
            lines.setdefault(check, []).append((outcome, text))
        return status, {
            check: results[0] if len(results) == 1 else results
            for check, results in lines.items()
        }

    return run


@pytest.fixture
def mlflow(monkeypatch, fake_server):
    """A fake MLflow server with the experiment 3. It has stored each trace."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", fake_server.uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "3")
    fake_server.respond = respond
    return fake_server


def json_response(body):
    return Response(
        200, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )


def respond(request):
    path, _, query = request.path.partition("?")
    match path.rpartition("/")[2]:
        case "traces" if request.method == "POST":
            return Response()
        case "get" if query == "experiment_id=3":
            return json_response(
                {
                    "experiment": {
                        "experiment_id": "3",
                        "name": "agents",
                        "lifecycle_stage": "active",
                    }
                }
            )
        case name if name.startswith("tr-"):
            location = {"mlflow_experiment": {"experiment_id": "3"}}
            trace_info = {"state": "OK", "trace_location": location}
            return json_response({"trace": {"trace_info": trace_info}})
        case _:
            return error_response(404, "RESOURCE_DOES_NOT_EXIST")


@pytest.fixture
def respond_always(monkeypatch):
    """A function that starts a server with one response, also for its version."""
    servers = []

    def start(status, body=b"", headers=None):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv(
            "MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}"
        )

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def open_spool(folder, destination):
    return Spool(
        folder,
        lambda: destination,
        max_bytes=10**6,
        max_age_seconds=3600,
        on_drop=lambda *_: None,
        fallback=MemoryQueue(1, lambda *_: None),
    )


@pytest.fixture
def fill_spool(tmp_path, spans):
    """A function that stores spans for a destination. Returns the folder."""

    def fill(destination, *requests):
        spool = open_spool(tmp_path / "spool", destination)
        for names in requests:
            queued = spool.put(encode_request([spans.make(name) for name in names]))
            spool.release(queued, attempts=1, delay=1000)
        spool.close()
        return str(tmp_path / "spool")

    return fill
