"""Runs Prometheus with collector/prometheus on a free loopback port."""

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

from examples.otelcol import CONFIG_FOLDER
from tests.skipping import skip_unless_ci

if TYPE_CHECKING:
    from examples.otelcol import Collector

PROMETHEUS_FOLDER = CONFIG_FOLDER / "prometheus"
# The configuration of a collector that exposes metrics to Prometheus.
METRICS_CONFIG = ("agent.yaml", "without-content.yaml", "metrics.yaml")
INSTALL_HINT = (
    "Prometheus is not installed: apt-get install --no-install-recommends prometheus"
)


def require_prometheus():
    if not shutil.which("prometheus"):
        skip_unless_ci(INSTALL_HINT)


class Prometheus:
    """A context manager that runs a Prometheus server, which scrapes `collectors`."""

    def __init__(self, folder, *collectors: Collector) -> None:
        require_prometheus()
        self.folder = folder
        folder.mkdir()
        # The files of the project, with other targets.
        for name in ("prometheus.yaml", "alerts.yaml"):
            (folder / name).symlink_to(PROMETHEUS_FOLDER / name)
        targets = [
            f"127.0.0.1:{collector.port(port)}"
            for collector in collectors
            for port in ("PROMETHEUS", "METRICS")
        ]
        (folder / "targets.yaml").write_text(json.dumps([{"targets": targets}]))
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._address = f"127.0.0.1:{server.getsockname()[1]}"

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
        deadline = time.monotonic() + 60
        while not self._is_ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._process.kill()
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.1)
        return self

    def __exit__(self, *exc):
        self._process.terminate()
        self._process.wait(30)

    def query(self, expression, timestamp=None) -> list[tuple[dict[str, str], float]]:
        """Returns the labels and the value of each series, by default for now."""
        parameters = {"query": expression, "time": timestamp or time.time()}
        data = self._api("query?" + urllib.parse.urlencode(parameters))
        return [
            (series["metric"], float(series["value"][1])) for series in data["result"]
        ]

    def value(self, expression) -> float:
        """Returns the value of an expression that has exactly one series."""
        ((_, value),) = self.query(expression)
        return value

    def metric_names(self) -> set[str]:
        return set(self._api("label/__name__/values"))

    def alerting_rules(self) -> dict[str, dict]:
        """Returns the alerting rules by name."""
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
        url = f"http://{self._address}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise OSError(error.read().decode()) from None
