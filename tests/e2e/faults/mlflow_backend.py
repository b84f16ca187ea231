"""A real MLflow server that can be killed, and what its database contains."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
import urllib.request
import uuid
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

from examples.quickstart.mlflow_server import MlflowServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self


class MlflowBackend:
    """An MLflow server on SQLite, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / "mlflow.db"
        self._server = MlflowServer(folder)
        self._restart: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.wait_until_running()
        self._server.__exit__(*exc)

    @property
    def address(self) -> str:
        """The host and the port."""
        return urlsplit(self._server.uri).netloc

    def kill_and_restart(self) -> None:
        """Kills all processes of the server, and starts it on the same port."""
        port = str(urlsplit(self._server.uri).port)
        for process in psutil.Process().children():
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                if "mlflow" in process.cmdline() and port in process.cmdline():
                    os.killpg(process.pid, signal.SIGKILL)
        self._server.__exit__(None, None, None)
        self._restart = threading.Thread(target=self._server.__enter__)
        self._restart.start()

    def wait_until_running(self) -> None:
        if self._restart:
            self._restart.join()

    def create_experiment(self) -> str:
        """Creates an experiment with a new name, and returns its id."""
        response = self._post("experiments/create", name=f"faults {uuid.uuid4()}")
        return str(response["experiment_id"])

    def delete_experiment(self, experiment_id: str) -> None:
        self._post("experiments/delete", experiment_id=experiment_id)

    def _post(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self._server.uri}/api/2.0/mlflow/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def span_ids(self, experiment_id: str) -> list[bytes]:
        """The ids of the spans in the database, one for each row."""
        rows = self._query(
            "SELECT span_id FROM spans WHERE experiment_id = ?", experiment_id
        )
        return [bytes.fromhex(span_id.removeprefix("0x")) for (span_id,) in rows]

    def input_tokens(self, experiment_id: str) -> int:
        """The tokens that MLflow shows of all traces: a sum that it adds up itself."""
        ((tokens,),) = self._query(
            "SELECT COALESCE(SUM(input_tokens), 0) FROM trace_info"
            " WHERE experiment_id = ?",
            experiment_id,
        )
        return int(tokens)

    def span_contents(self, experiment_id: str) -> list[str]:
        rows = self._query(
            "SELECT content FROM spans WHERE experiment_id = ?", experiment_id
        )
        return [content for (content,) in rows]

    def _query(self, statement: str, experiment_id: str) -> list[Any]:
        uri = f"{self._database.as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=60)) as database:
            return database.execute(statement, (experiment_id,)).fetchall()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Locks the database, so that MLflow can neither read nor write."""
        with closing(sqlite3.connect(self._database, timeout=60)) as database:
            database.execute("BEGIN EXCLUSIVE")
            yield
            database.rollback()

    def lock_for(self, seconds: float) -> None:
        with self.lock():
            time.sleep(seconds)
