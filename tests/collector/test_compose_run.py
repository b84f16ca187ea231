"""The services of docker-compose.yaml work when run as processes without Docker."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time

import pytest

from examples.otelcol import Collector
from examples.quickstart import mlflow_server
from tests.databases import NotInstalledError, PostgreSQL
from tests.skipping import skip_unless_ci

from .conftest import ENVIRONMENT, wait_until
from .test_compose import SERVICES, service_environment

pytestmark = pytest.mark.e2e

PASSWORD = "special/characters@in:it%"


@pytest.fixture(scope="module")
def database():
    """A PostgreSQL server that requires the password of MLflow's user."""
    try:
        with PostgreSQL() as server:
            rules = server.folder / "data" / "pg_hba.conf"
            rules.write_text(
                "host all mlflow 127.0.0.1/32 scram-sha-256\n" + rules.read_text()
            )
            with server.connect() as connection:
                connection.execute(f"ALTER USER mlflow PASSWORD '{PASSWORD}'")
                connection.execute("SELECT pg_reload_conf()")
            yield server
    except (NotInstalledError, ModuleNotFoundError) as error:
        skip_unless_ci(error)


@pytest.fixture(scope="module")
def mlflow_port(database, tmp_path_factory):
    """Runs the command of the service `mlflow` with its environment on this machine."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    replacements = {
        "postgres:5432": f"127.0.0.1:{database.port}",
        "127.0.0.1:5000": f"127.0.0.1:{port}",
        "--port=5000": f"--port={port}",
        "0.0.0.0": "127.0.0.1",
        "/var/lib/mlflow": str(folder / "artifacts"),
        "HOME=/tmp": f"HOME={folder}",
    }
    environment = service_environment("mlflow", MLFLOW_DB_PASSWORD=PASSWORD)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                *localized(SERVICES["mlflow"]["command"], replacements),
            ],
            cwd=folder,
            env=ENVIRONMENT
            | dict(
                assignment.split("=", 1)
                for assignment in localized(
                    [f"{name}={value}" for name, value in environment.items()],
                    replacements,
                )
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 180
        while not is_healthy(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.3)
        assert PASSWORD not in (folder / "log").read_text()
        yield port
    finally:
        mlflow_server._stop(process)


def localized(words, replacements):
    """Replaces the addresses and folders of the containers by those of this machine."""
    for container_value, local_value in replacements.items():
        words = [word.replace(container_value, local_value) for word in words]
    return words


def is_healthy(port):
    """Runs the health check of the service `mlflow`."""
    _, python, *arguments = SERVICES["mlflow"]["healthcheck"]["test"]
    assert python == "python"
    arguments = localized(arguments, {"127.0.0.1:5000": f"127.0.0.1:{port}"})
    process = subprocess.run(
        [sys.executable, *arguments], capture_output=True, check=False
    )
    return process.returncode == 0


def test_mlflow_rejects_unknown_host_names(mlflow_port):
    def status_for(host):
        connection = http.client.HTTPConnection("127.0.0.1", mlflow_port, timeout=30)
        connection.request(
            "GET",
            "/api/2.0/mlflow/experiments/get?experiment_id=0",
            headers={"Host": host},
        )
        status_code = connection.getresponse().status
        connection.close()
        return status_code

    assert status_for("mlflow:5000") == 200
    assert status_for("localhost:5000") == 200
    assert status_for("unknown:5000") == 403


def test_a_trace_reaches_mlflow_and_jaeger(
    otelcol, tmp_path, mlflow_port, database, receiver, run_agent
):
    """Runs the command of the service `otelcol` on this machine."""
    import psycopg
    from mlflow import MlflowClient

    replacements = {
        "http://mlflow:5000": f"http://127.0.0.1:{mlflow_port}",
        "http://jaeger:4318": receiver.endpoint,
        "0.0.0.0": "127.0.0.1",
        "/var/lib/otelcol": str(tmp_path / "queue"),
    }
    environment = service_environment("otelcol")
    files = [
        word.removeprefix("--config=/etc/otelcol/")
        for word in SERVICES["otelcol"]["command"]
    ]
    mounted = {
        volume.split(":")[1]: volume.split(":")[0]
        for volume in SERVICES["otelcol"]["volumes"]
    }
    assert [mounted[f"/etc/otelcol/{file}"] for file in files] == [
        f"./{file}" for file in files
    ]
    variables = dict(
        zip(environment, localized(environment.values(), replacements), strict=True)
    )
    with Collector(otelcol, tmp_path, *files, **variables) as collector:
        run_agent(collector)
        client = MlflowClient(f"http://127.0.0.1:{mlflow_port}")
        wait_until(lambda: client.search_traces(locations=["0"]))
        wait_until(lambda: receiver.spans)
        (trace,) = client.search_traces(locations=["0"])
        assert trace.info.state == "OK"
        assert {span.span_id for span in receiver.spans} == {
            span.span_id for span in trace.data.spans
        }
        assert "Paris" in str([span.attributes for span in trace.data.spans])
        assert "Paris" not in str([span.attributes for span in receiver.spans])
    with psycopg.connect(
        host="127.0.0.1", port=database.port, user="root", dbname="mlflow"
    ) as connection:
        (trace_count,) = connection.execute(
            "SELECT count(*) FROM trace_info"
        ).fetchone()
    assert trace_count == 1
