"""A real Apache Kafka, one broker in a temporary folder, on free loopback ports."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from examples.otelcol._process import free_ports

# The newest of which Maven Central has the tools, too. Runs on Java 17.
VERSION = "4.3.1"
HOW_TO_GET_IT = "no Kafka: apt-get install default-jre-headless maven"

TOPIC = "otlp_spans"
USERNAME, PASSWORD = "otelcol", "s3cr3t"
# As collector/gateway/sampler.yaml has it.
LARGEST = 8388608

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


class MissingError(Exception):
    """What to install."""


class Kafka:
    """A context manager; `partitions` is how many the topic has.

    With a certificate, a PEM file with its key, there is a listener with TLS, too, for
    who knows USERNAME and PASSWORD.
    """

    def __init__(self, partitions=12, certificate=None):
        self.partitions = partitions
        self._certificate = certificate

    def __enter__(self):
        self._libraries = _libraries()
        with ExitStack() as held:
            self._folder = Path(
                held.enter_context(
                    tempfile.TemporaryDirectory("-kafka", ignore_cleanup_errors=True)
                )
            )
            self._port, self._secured, controller = free_ports(3)
            properties = self._folder / "server.properties"
            properties.write_text(
                "".join(
                    f"{name}={value}\n"
                    for name, value in self._settings(controller).items()
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
            output = held.enter_context((self._folder / "output").open("wb"))
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(properties)),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            held.callback(self._process.wait)
            held.callback(self._process.kill)
            # Tries until the broker answers.
            self._run(
                *("org.apache.kafka.tools.TopicCommand", "--create"),
                *("--bootstrap-server", f"127.0.0.1:{self._port}", "--topic", TOPIC),
                *("--partitions", str(self.partitions)),
                *("--config", f"max.message.bytes={LARGEST}"),
            )
            self._held = held.pop_all()
        return self

    def __exit__(self, *exc):
        self._held.close()

    def _settings(self, controller):
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAIN://127.0.0.1:{self._port},"
            f"CONTROLLER://127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "SECURED:SASL_SSL",
            "inter.broker.listener.name": "PLAIN",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self._folder / "log",
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "group.initial.rebalance.delay.ms": 0,
        }
        if self._certificate:
            settings["listeners"] += f",SECURED://127.0.0.1:{self._secured}"
            of = "listener.name.secured"
            settings |= {
                f"{of}.ssl.keystore.type": "PEM",
                f"{of}.ssl.keystore.location": self._certificate,
                f"{of}.sasl.enabled.mechanisms": "SCRAM-SHA-512",
                f"{of}.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common"
                ".security.scram.ScramLoginModule required;",
            }
        return settings

    @property
    def brokers(self):
        """As the configurations read it from KAFKA_BROKERS."""
        return f"[127.0.0.1:{self._port}]"

    @property
    def secured_brokers(self):
        return f"[127.0.0.1:{self._secured}]"

    @property
    def pid(self):
        return self._process.pid

    def size(self):
        """Bytes on disk of all that was written to the topic."""
        return sum(
            one.stat().st_size
            for one in (self._folder / "log").glob(f"{TOPIC}-*/*.log")
        )

    def _java(self, *command):
        return ["java", "-Xmx256m", "-cp", f"{self._libraries}/*", *command]

    def _run(self, *command):
        ended = subprocess.run(
            self._java(*command),
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def _libraries():
    """Fetched with Maven, the first time."""
    if not shutil.which("java"):
        raise MissingError(HOW_TO_GET_IT)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    libraries = Path(
        cache, "opentelemetry-instrumentation-deepseek", f"kafka-{VERSION}"
    )
    if libraries.exists():
        return libraries
    if not shutil.which("mvn"):
        raise MissingError(HOW_TO_GET_IT)
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
        # Whole or not at all, whoever else fetches it now.
        try:
            (Path(folder) / "libraries").replace(libraries)
        except OSError:
            if not libraries.exists():
                raise
    return libraries
