"""Runs an Apache Kafka broker in a temporary folder on free loopback ports."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from examples.otelcol._process import free_ports

# The newest version whose tools are on Maven Central too. It runs on Java 17.
VERSION = "4.3.1"
INSTALL_HINT = "Kafka needs Java and Maven: apt-get install default-jre-headless maven"

TOPIC = "otlp_spans"
USERNAME, PASSWORD = "otelcol", "s3cr3t"
# The same as max_message_bytes in collector/gateway/sampler.yaml.
MAX_MESSAGE_BYTES = 8388608

_PROJECT = f"""\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>kafka</groupId><artifactId>kafka</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId><version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


class NotInstalledError(Exception):
    """Kafka is not installed; the message says what to install."""


class Kafka:
    """A context manager that runs a broker with one topic of `partitions` partitions.

    With `certificate`, a PEM file that includes the key, the broker has a second
    listener with TLS, which requires USERNAME and PASSWORD.
    """

    def __init__(self, partitions=12, certificate=None):
        self.partitions = partitions
        self._certificate = certificate

    def __enter__(self):
        self._libraries = _libraries()
        with ExitStack() as stack:
            self._folder = Path(
                stack.enter_context(
                    tempfile.TemporaryDirectory("-kafka", ignore_cleanup_errors=True)
                )
            )
            self._port, self._tls_port, controller_port = free_ports(3)
            properties = self._folder / "server.properties"
            properties.write_text(
                "".join(
                    f"{name}={value}\n"
                    for name, value in self._settings(controller_port).items()
                )
            )
            self._run(
                *("kafka.tools.StorageTool", "format", "-c", str(properties)),
                *("-t", "MkU3OEVBNTcwNTJENDM2Qg"),
                *(
                    "--add-scram",
                    f"SCRAM-SHA-512=[name={USERNAME},password={PASSWORD}]",
                ),
            )
            output = stack.enter_context((self._folder / "output").open("wb"))
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(properties)),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            stack.callback(self._process.wait)
            stack.callback(self._process.kill)
            # The command retries until the broker responds.
            self._run(
                *("org.apache.kafka.tools.TopicCommand", "--create"),
                *("--bootstrap-server", f"127.0.0.1:{self._port}", "--topic", TOPIC),
                *("--partitions", str(self.partitions)),
                *("--config", f"max.message.bytes={MAX_MESSAGE_BYTES}"),
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def _settings(self, controller_port):
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "listeners": f"PLAIN://127.0.0.1:{self._port},"
            f"CONTROLLER://127.0.0.1:{controller_port}",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "TLS:SASL_SSL",
            "inter.broker.listener.name": "PLAIN",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self._folder / "log",
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "group.initial.rebalance.delay.ms": 0,
        }
        if self._certificate:
            settings["listeners"] += f",TLS://127.0.0.1:{self._tls_port}"
            prefix = "listener.name.tls"
            settings |= {
                f"{prefix}.ssl.keystore.type": "PEM",
                f"{prefix}.ssl.keystore.location": self._certificate,
                f"{prefix}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                f"{prefix}.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common"
                ".security.scram.ScramLoginModule required;",
            }
        return settings

    @property
    def brokers(self):
        """The value for KAFKA_BROKERS."""
        return f"[127.0.0.1:{self._port}]"

    @property
    def tls_brokers(self):
        return f"[127.0.0.1:{self._tls_port}]"

    @property
    def pid(self):
        return self._process.pid

    def topic_size(self):
        """Returns the size of the topic on disk in bytes."""
        return sum(
            segment.stat().st_size
            for segment in (self._folder / "log").glob(f"{TOPIC}-*/*.log")
        )

    def _java(self, *command):
        return ["java", "-Xmx256m", "-cp", f"{self._libraries}/*", *command]

    def _run(self, *command):
        process = subprocess.run(
            self._java(*command),
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert process.returncode == 0, process.stdout + process.stderr


def _libraries():
    """Returns the folder of Kafka's libraries; Maven downloads them the first time."""
    if not shutil.which("java"):
        raise NotInstalledError(INSTALL_HINT)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    libraries = Path(
        cache, "opentelemetry-instrumentation-deepseek", f"kafka-{VERSION}"
    )
    if libraries.exists():
        return libraries
    if not shutil.which("mvn"):
        raise NotInstalledError(INSTALL_HINT)
    libraries.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=libraries.parent) as folder:
        project = Path(folder) / "pom.xml"
        project.write_text(_PROJECT)
        subprocess.run(
            [
                *("mvn", "-B", "-q", "-f", str(project)),
                *("dependency:copy-dependencies", "-DincludeScope=runtime"),
                f"-DoutputDirectory={folder}/libraries",
            ],
            check=True,
            timeout=600,
        )
        # An atomic rename: a concurrent download never leaves an incomplete folder.
        try:
            (Path(folder) / "libraries").replace(libraries)
        except OSError:
            if not libraries.exists():
                raise
    return libraries
