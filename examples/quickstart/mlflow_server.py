"""A local MLflow server: SQLite in a folder, on a free loopback port.

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

SERVER_ENVIRONMENT: Final = {
    # Reads prices from the catalogue in the mlflow package. By default the server
    # downloads them from github.com while a client waits for its spans to be stored.
    "MLFLOW_MODEL_CATALOG_URI": "",
    # The same for litellm, whose prices MLflow prefers if it is installed.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Background jobs take seven more Python processes, and traces do not need them.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


class MlflowServerError(RuntimeError):
    """MLflow did not start; the message ends with the last lines of its log."""


class MlflowServer:
    """A context manager that starts the server and stops it on exit.

    If it is entered again, the server uses the same port.

    Args:
        folder: The folder for the database, the artifacts and `mlflow.log`. It is not
            deleted. By default a temporary folder is used.
        store: A database to use instead, as MLflow's `--backend-store-uri`.
        python: The Python of an environment with MLflow; by default the current one.
        report: A function that is called with lines about the progress.
        start_timeout: The number of seconds after which MlflowServerError is raised.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        store: str | None = None,
        python: Path | None = None,
        report: Callable[[str], object] = lambda _: None,
        start_timeout: float = 180,
    ) -> None:
        self._folder = folder
        self._store = store
        self._python = Path(python or sys.executable).absolute()
        self._report = report
        self._start_timeout = start_timeout
        self._port = 0
        self._exit_stack = ExitStack()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = self._folder or Path(
                stack.enter_context(
                    # MLflow may still write while the folder is deleted.
                    tempfile.TemporaryDirectory("-mlflow", ignore_cleanup_errors=True)
                )
            )
            folder.mkdir(parents=True, exist_ok=True)
            self._port = self._port or _free_port()
            log = folder / "mlflow.log"
            store = self._store or f"sqlite:///{folder.resolve()}/mlflow.db"
            process = _start(self._python, folder, store, self._port, log)
            stack.callback(_stop, process)
            self._wait_until_ready(process, log)
            self._exit_stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._exit_stack.close()

    def _wait_until_ready(self, process: subprocess.Popen[bytes], log: Path) -> None:
        start = time.monotonic()
        reported = 0.0
        while not _is_ready(self._port):
            elapsed = time.monotonic() - start
            if process.poll() is not None:
                raise MlflowServerError(
                    f"MLflow exited with code {process.returncode} "
                    f"while starting.\n{_tail(log)}"
                )
            if elapsed > self._start_timeout:
                raise MlflowServerError(
                    f"MLflow did not answer within {self._start_timeout:.0f} s.\n"
                    f"{_tail(log)}"
                )
            if elapsed - reported >= 3:  # noqa: PLR2004  # seconds between two reports
                reported = elapsed
                self._report(f"starting MLflow … {elapsed:.0f} s")
            time.sleep(0.2)
        self._report(
            f"MLflow is ready at {self.uri} ({time.monotonic() - start:.0f} s)"
        )


def _start(
    python: Path, folder: Path, store: str, port: int, log: Path
) -> subprocess.Popen[bytes]:
    command = [str(python), "-m", "mlflow", "server"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", store]
    command += ["--artifacts-destination", str(folder.resolve() / "artifacts")]
    # Several workers on one SQLite file fail with "database is locked".
    command += ["--workers", "1"]
    # The caller's settings for telemetry, MLflow and coverage do not apply to this
    # server.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "MLFLOW_", "OTEL_"))
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=inherited | SERVER_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A separate process group allows stopping the workers with the server.
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, grace_period in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + grace_period
        while time.monotonic() < deadline and _is_group_alive(process):
            time.sleep(0.05)
    process.wait()


def _is_group_alive(process: subprocess.Popen[bytes]) -> bool:
    process.poll()  # reaps the group leader, which otherwise still exists as a zombie
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _is_ready(port: int) -> bool:
    # Not /health, which returns 200 even if the database is not usable.
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
