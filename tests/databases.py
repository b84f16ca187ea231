"""PostgreSQL and MariaDB servers, each with its data in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class NotInstalledError(Exception):
    """The database is not installed; the message says what to install."""


def _program(name):
    path = shutil.which(name) or max(
        map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None
    )
    if path is None:
        raise NotInstalledError(
            f"{name} is not installed: apt-get install postgresql mariadb-server"
        )
    return path


class Server:
    """A database server, running while the context is open.

    Database servers refuse to run as root: root starts them as `user`.
    """

    user = ""
    stop_signal = signal.SIGTERM

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp())
        self._user_option = {}
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
            self._user_option = {"user": self.user}
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        try:
            self.run(*self.init_command())
            self.start()
            self.create_database()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *command):
        process = subprocess.run(
            command,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **self._user_option,
        )
        assert process.returncode == 0, process.stdout + process.stderr

    process = None

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.server_command(),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                **self._user_option,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
            except Exception:  # noqa: BLE001, PERF203  # each driver has its own errors
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.1)
            else:
                return

    def stop(self):
        if self.process:
            self.process.send_signal(self.stop_signal)
            self.process.wait(60)
            self.process = None


class PostgreSQL(Server):
    user = "postgres"
    stop_signal = signal.SIGINT  # SIGTERM waits until all clients disconnect

    @property
    def uri(self):
        return f"postgresql://mlflow:s3cr3t@127.0.0.1:{self.port}/mlflow"

    def init_command(self):
        data = str(self.folder / "data")
        return (_program("initdb"), "-D", data, "-U", "root", "-A", "trust", "-N")

    def server_command(self):
        options = ["-p", str(self.port), "-k", str(self.folder), "-F"]
        return [
            _program("postgres"),
            *("-D", str(self.folder / "data"), "-h", "127.0.0.1"),
            *options,
        ]

    def connect(self):
        import psycopg

        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            dbname="postgres",
            autocommit=True,
        )

    def create_database(self):
        with self.connect() as connection:
            connection.execute("CREATE USER mlflow PASSWORD 's3cr3t'")
            connection.execute("CREATE DATABASE mlflow OWNER mlflow")


class MariaDB(Server):
    user = "mysql"

    @property
    def uri(self):
        return f"mysql+pymysql://mlflow:s3cr3t@127.0.0.1:{self.port}/mlflow"

    def init_command(self):
        return (
            _program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )

    def server_command(self):
        return [
            _program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
        ]

    def connect(self):
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", autocommit=True
        )

    def create_database(self):
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER mlflow IDENTIFIED BY 's3cr3t'")
            cursor.execute("CREATE DATABASE mlflow CHARACTER SET utf8mb4")
            cursor.execute("GRANT ALL ON mlflow.* TO mlflow")
