"""An MLflow server of one's own: SQLite in a folder, on a free loopback port.

with MlflowServer() as mlflow:
    os.environ["MLFLOW_TRACKING_URI"] = mlflow.uri
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from typing_extensions import Self

SETTINGS: Final = {
    # Prices from the catalogue inside the mlflow package. By default the server
    # downloads it from github.com while a client waits for its spans to be stored.
    "MLFLOW_MODEL_CATALOG_URI": "",
    # The same for litellm, whose prices MLflow prefers when it is installed.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Background jobs are seven more Python processes, and traces need none of them.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


class MlflowServerError(RuntimeError):
    """MLflow did not come up; the message ends with the last lines of its log."""


class MlflowServer:
    """A context manager; the server is up inside it and gone after it.

    Entered once more, it is on the same port again.
    `folder` holds the database, the artifacts and `mlflow.log`, and is kept; without
    it a temporary one is used. `store` is a database elsewhere, as MLflow's
    `--backend-store-uri`. `report` is called with a line of progress now and then.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        store: str | None = None,
        report: Callable[[str], object] = lambda _: None,
        start_timeout: float = 180,
    ) -> None:
        self._folder = folder
        self._store = store
        self._report = report
        self._start_timeout = start_timeout
        self._port = 0
        self._held = ExitStack()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        with ExitStack() as held:
            folder = self._folder or Path(
                held.enter_context(
                    # MLflow may still write while its folder goes.
                    tempfile.TemporaryDirectory("-mlflow", ignore_cleanup_errors=True)
                )
            )
            folder.mkdir(parents=True, exist_ok=True)
            self._port = self._port or _free_port()
            log = folder / "mlflow.log"
            store = self._store or f"sqlite:///{folder.resolve()}/mlflow.db"
            process = _start(folder, store, self._port, log)
            held.callback(_stop, process)
            self._wait(process, log)
            self._held = held.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._held.close()

    def _wait(self, process: subprocess.Popen[bytes], log: Path) -> None:
        began = time.monotonic()
        told = 0.0
        while not _answers(self._port):
            waited = time.monotonic() - began
            if process.poll() is not None:
                raise MlflowServerError(
                    f"MLflow ended with exit code {process.returncode} "
                    f"while starting.\n{_tail(log)}"
                )
            if waited > self._start_timeout:
                raise MlflowServerError(
                    f"MLflow did not answer within {self._start_timeout:.0f} s.\n"
                    f"{_tail(log)}"
                )
            if waited - told >= 3:  # noqa: PLR2004  # seconds between two signs of life
                told = waited
                self._report(f"starting MLflow … {waited:.0f} s")
            time.sleep(0.2)
        self._report(f"MLflow answers at {self.uri} ({time.monotonic() - began:.0f} s)")


def _start(folder: Path, store: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlflow", "server"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder.resolve() / "artifacts")]
    # Several workers on one SQLite file answer "database is locked".
    command += ["--workers", "1"]
    # What the caller set for its own telemetry and its own MLflow is not for this one,
    # nor is it a part of what the caller's tests cover.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "MLFLOW_", "OTEL_"))
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=inherited | SETTINGS,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A process group of its own, to end the workers with the server.
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        ends = time.monotonic() + patience
        while time.monotonic() < ends and _group_lives(process):
            time.sleep(0.05)
    process.wait()


def _group_lives(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # reaps the leader, which would count as alive otherwise
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def _answers(port: int) -> bool:
    # Not /health: it says 200 before, and without, a usable database.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
