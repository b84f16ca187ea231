"""A real Prometheus with the shipped configuration, on a free loopback port."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from examples.otelcol import CONFIGURATIONS
from tests.missing import missing

if TYPE_CHECKING:
    from examples.otelcol import Collector

SHIPPED = CONFIGURATIONS / "prometheus"
# What Prometheus reads comes of these.
CONFIGURED = ("agent.yaml", "without-content.yaml", "metrics.yaml")
HOW_TO_GET_IT = "no Prometheus: apt-get install --no-install-recommends prometheus"


def required():
    if not shutil.which("prometheus"):
        missing(HOW_TO_GET_IT)


class Prometheus:
    """A context manager. Reads what `collectors` expose."""

    def __init__(self, folder, *collectors: Collector) -> None:
        required()
        self.folder = folder
        folder.mkdir()
        # The shipped files themselves; what listens where is beside them, and is ours.
        for name in ("prometheus.yaml", "alerts.yaml"):
            (folder / name).symlink_to(SHIPPED / name)
        targets = [
            f"127.0.0.1:{one.port(port)}"
            for one in collectors
            for port in ("PROMETHEUS", "METRICS")
        ]
        (folder / "targets.yaml").write_text(json.dumps([{"targets": targets}]))
        with socket.create_server(("127.0.0.1", 0)) as held:
            self._address = f"127.0.0.1:{held.getsockname()[1]}"

    def __enter__(self):
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    str(shutil.which("prometheus")),
                    f"--config.file={self.folder / 'prometheus.yaml'}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--web.listen-address={self._address}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        ends = time.monotonic() + 60
        while not self._is_ready():
            if time.monotonic() > ends or self._process.poll() is not None:
                self._process.kill()
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.1)
        return self

    def __exit__(self, *exc):
        self._process.terminate()
        self._process.wait(30)

    def query(self, expression, at=None) -> list[tuple[dict[str, str], float]]:
        """The labels and the value of each series, now or then."""
        asked = {"query": expression, "time": at or time.time()}
        data = self._api("query?" + urllib.parse.urlencode(asked))
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def value(self, expression) -> float:
        """Of the only series."""
        ((_, value),) = self.query(expression)
        return value

    def names(self) -> set[str]:
        return set(self._api("label/__name__/values"))

    def alerts(self) -> dict[str, dict]:
        """The rules by the name of their alert."""
        groups = self._api("rules")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def _is_ready(self):
        try:
            self._read("/-/ready")
        except OSError:
            return False
        return True

    def _api(self, path):
        return json.loads(self._read(f"/api/v1/{path}"))["data"]

    def _read(self, path):
        address = f"http://{self._address}{path}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise OSError(error.read().decode()) from None
