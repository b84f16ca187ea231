"""A collector of one's own, on free loopback ports."""

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

from examples.otelcol._binary import CONFIGURATIONS, CollectorError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Final

    from typing_extensions import Self

# As the configurations name them: OTELCOL_GRPC_PORT and so on.
PORTS: Final = ("GRPC", "HTTP", "MLFLOW", "HEALTH", "METRICS", "PROMETHEUS")


class Collector:
    """A context manager; the collector is up inside it and gone after it.

    `configurations` are files of the folder `collector`, merged in their order;
    `variables` are what they read from the environment. `folder` gets what is queued,
    and `otelcol.log`, and is kept. Ports are chosen once: after `kill`, `start` is
    the same collector again.
    """

    def __init__(
        self, program: Path, folder: Path, *configurations: str, **variables: str
    ) -> None:
        self.folder = folder
        self.log = folder / "otelcol.log"
        self._ports = free_ports(len(PORTS))
        self._command = [str(program)]
        for name in configurations:
            self._command += ["--config", str(CONFIGURATIONS / name)]
        self.environment = {
            # What the caller set for its own telemetry is not for this one.
            **{n: v for n, v in os.environ.items() if not n.startswith("OTEL_")},
            **{
                f"OTELCOL_{name}_PORT": str(port)
                for name, port in zip(PORTS, self._ports, strict=True)
            },
            "OTELCOL_STATE_DIR": str(folder / "queue"),
            **variables,
        }
        self._held = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def port(self, name: str) -> int:
        return int(self.environment[f"OTELCOL_{name}_PORT"])

    @property
    def endpoint(self) -> str:
        """OTLP/HTTP."""
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
        """Raises CollectorError if it does not come up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        ends = time.monotonic() + 60
        while not _answers(self.port("HEALTH")):
            if self._process.poll() is not None or time.monotonic() > ends:
                self.kill()
                log = self.log.read_text("utf-8", "replace").splitlines()
                raise CollectorError("\n".join(["its log ends:", *log[-20:]]))
            time.sleep(0.05)

    def stop(self) -> None:
        """Sends what is on its way, as far as it can be sent."""
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """kill -9."""
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
        """The sum of a metric of the collector's own, such as
        `otelcol_exporter_sent_spans`, over what has these labels."""
        address = f"http://127.0.0.1:{self.port('METRICS')}/metrics"
        with urllib.request.urlopen(address, timeout=10) as answer:
            exposed = answer.read().decode()
        return sum(
            float(value)
            for said, value in re.findall(
                rf"^{name}(?:_total)?(?:{{(.*)}})? (\S+)$", exposed, re.MULTILINE
            )
            if all(f'{key}="{label}"' in said for key, label in labels.items())
        )


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        taken = [
            held.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [int(one.getsockname()[1]) for one in taken]


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
