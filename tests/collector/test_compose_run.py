"""The commands and settings of docker-compose.yaml, run as processes."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time

import pytest

from examples.otelcol import Collector
from examples.quickstart import mlflow_server
from tests.databases import MissingError, PostgreSQL
from tests.missing import missing

from .conftest import ENVIRONMENT, eventually
from .test_compose import SERVICES, environment

pytestmark = pytest.mark.e2e

PASSWORD = "of/this@test:alone%"


@pytest.fixture(scope="module")
def database():
    """PostgreSQL, which takes MLflow's user with the password only."""
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
    except (MissingError, ModuleNotFoundError) as error:
        missing(error)


@pytest.fixture(scope="module")
def mlflow_port(database, tmp_path_factory):
    """The service `mlflow`: its command and environment, here."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    here = {
        "postgres:5432": f"127.0.0.1:{database.port}",
        "127.0.0.1:5000": f"127.0.0.1:{port}",
        "--port=5000": f"--port={port}",
        "0.0.0.0": "127.0.0.1",
        "/var/lib/mlflow": str(folder / "artifacts"),
        "HOME=/tmp": f"HOME={folder}",
    }
    said = environment("mlflow", MLFLOW_DB_PASSWORD=PASSWORD)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *translated(SERVICES["mlflow"]["command"], here)],
            cwd=folder,
            env=ENVIRONMENT
            | dict(
                one.split("=", 1)
                for one in translated([f"{k}={v}" for k, v in said.items()], here)
            ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        ends = time.monotonic() + 180
        while not healthy(port):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < ends, (folder / "log").read_text()
            time.sleep(0.3)
        assert PASSWORD not in (folder / "log").read_text()
        yield port
    finally:
        mlflow_server._stop(process)


def translated(words, here):
    for there, value in here.items():
        words = [word.replace(there, value) for word in words]
    return words


def healthy(port):
    """What the service's health check says."""
    _, python, *arguments = SERVICES["mlflow"]["healthcheck"]["test"]
    assert python == "python"
    arguments = translated(arguments, {"127.0.0.1:5000": f"127.0.0.1:{port}"})
    checked = subprocess.run(
        [sys.executable, *arguments], capture_output=True, check=False
    )
    return checked.returncode == 0


def test_mlflow_takes_the_collector_and_no_stranger(mlflow_port):
    def status(host):
        connection = http.client.HTTPConnection("127.0.0.1", mlflow_port, timeout=30)
        connection.request(
            "GET",
            "/api/2.0/mlflow/experiments/get?experiment_id=0",
            headers={"Host": host},
        )
        answer = connection.getresponse().status
        connection.close()
        return answer

    assert status("mlflow:5000") == 200
    assert status("localhost:5000") == 200
    assert status("stranger:5000") == 403


def test_a_trace_reaches_mlflow_and_jaeger(
    otelcol, tmp_path, mlflow_port, database, receiver, agent
):
    """The service `otelcol`: its command and environment, here."""
    import psycopg
    from mlflow import MlflowClient

    here = {
        "http://mlflow:5000": f"http://127.0.0.1:{mlflow_port}",
        "http://jaeger:4318": receiver.endpoint,
        "0.0.0.0": "127.0.0.1",
        "/var/lib/otelcol": str(tmp_path / "queue"),
    }
    said = environment("otelcol")
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
    values = dict(zip(said, translated(said.values(), here), strict=True))
    with Collector(otelcol, tmp_path, *files, **values) as collector:
        agent(collector)
        client = MlflowClient(f"http://127.0.0.1:{mlflow_port}")
        eventually(lambda: client.search_traces(locations=["0"]))
        eventually(lambda: receiver.spans)
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
        (stored,) = connection.execute("SELECT count(*) FROM trace_info").fetchone()
    assert stored == 1
