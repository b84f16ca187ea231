"""Runs a collector as a child process on free loopback ports."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING

from examples.otelcol._binary import CONFIG_FOLDER, CollectorError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Final

    from typing_extensions import Self

# The ports that the configurations read from OTELCOL_GRPC_PORT and so on.
PORTS: Final = ("GRPC", "HTTP", "MLFLOW", "HEALTH", "METRICS", "PROMETHEUS")


class Collector:
    """A context manager that starts a collector and stops it on exit.

    `configurations` are files in the folder `collector`, merged in this order.
    `variables` are the environment variables that they read. `folder` holds the queue
    and `otelcol.log`, and is not deleted. The ports are chosen once, so `start` after
    `kill` restarts the collector with the same ports and the same queue.
    """

    def __init__(
        self, program: Path, folder: Path, *configurations: str, **variables: str
    ) -> None:
        self.folder = folder
        self.log = folder / "otelcol.log"
        self._ports = free_ports(len(PORTS))
        self._command = [str(program)]
        for name in configurations:
            self._command += ["--config", str(CONFIG_FOLDER / name)]
        self.environment = {
            # OTEL_ variables configure the telemetry of the caller, not the collector.
            **{n: v for n, v in os.environ.items() if not n.startswith("OTEL_")},
            **{
                f"OTELCOL_{name}_PORT": str(port)
                for name, port in zip(PORTS, self._ports, strict=True)
            },
            "OTELCOL_STATE_DIR": str(folder / "queue"),
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def port(self, name: str) -> int:
        return int(self.environment[f"OTELCOL_{name}_PORT"])

    @property
    def endpoint(self) -> str:
        """The base URL of the OTLP/HTTP receiver."""
        return f"http://127.0.0.1:{self.port('HTTP')}"

    @property
    def pid(self) -> int:
        assert self._process  # noqa: S101  # inside the context
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Raises CollectorError if the collector does not start within 60 seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while not _is_healthy(self.port("HEALTH")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                log = self.log.read_text("utf-8", "replace").splitlines()
                raise CollectorError(
                    "\n".join(
                        ["the collector did not start; its log ends with:", *log[-20:]]
                    )
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Shuts the collector down; it sends pending data first if it can."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Ends the collector as `kill -9` does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def validate(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._command[0], "validate", *self._command[1:]],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def metric(self, name: str, **labels: str) -> float:
        """Returns the sum of one of the collector's own metrics, for example
        `otelcol_exporter_sent_spans`, over all series with these labels."""
        url = f"http://127.0.0.1:{self.port('METRICS')}/metrics"
        with urllib.request.urlopen(url, timeout=10) as response:
            exposition = response.read().decode()
        return sum(
            float(value)
            for series_labels, value in re.findall(
                rf"^{name}(?:_total)?(?:{{(.*)}})? (\S+)$", exposition, re.MULTILINE
            )
            if all(f'{key}="{label}"' in series_labels for key, label in labels.items())
        )


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        # All sockets stay open until the end, so that the ports differ.
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [int(server.getsockname()[1]) for server in sockets]


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
