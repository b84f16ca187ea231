"""Programs under `opentelemetry-instrument` that lack a package or a valid setting."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

INSTRUMENT = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
PROGRAM = """
from opentelemetry.exporter.mlflow import MlflowInstrumentor
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
print(
    "openai.resources.completions" in DeepSeekInstrumentor._hooked_modules,
    MlflowInstrumentor().is_instrumented_by_opentelemetry,
)
"""
# What `opentelemetry-instrument` does, on a machine without openai.
LOAD_WITHOUT_OPENAI = """
from importlib.metadata import PackageNotFoundError

from opentelemetry.instrumentation import dependencies
from opentelemetry.instrumentation.auto_instrumentation import _load
from opentelemetry.instrumentation.distro import DefaultDistro

version = dependencies.version

def version_without_openai(name):
    if name == "openai":
        raise PackageNotFoundError(name)
    return version(name)

dependencies.version = version_without_openai
_load._load_instrumentors(DefaultDistro())
"""


def run_under_opentelemetry_instrument(
    folder: Path, **environment: str
) -> tuple[str, str]:
    """Runs PROGRAM with `folder` on the path; returns what it prints."""
    process = subprocess.run(
        [INSTRUMENT, sys.executable, "-c", PROGRAM],
        env=os.environ
        | {
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_TRACES_EXPORTER": "none",
            "PYTHONPATH": os.pathsep.join(
                [str(folder), os.environ.get("PYTHONPATH", "")]
            ),
        }
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return process.stdout.strip(), process.stderr


def install_metadata(folder: Path, version: str) -> None:
    """Creates the metadata of a version of openai, which is found first."""
    metadata = folder / f"openai-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: openai\nVersion: {version}\n")


@pytest.mark.parametrize("version", ["1.50.0", "4.0.0"])
def test_unsupported_openai_is_logged_and_mlflow_is_instrumented(
    tmp_path: Path, version: str
) -> None:
    install_metadata(tmp_path, version)
    output, log = run_under_opentelemetry_instrument(tmp_path)
    assert output == "False True"
    (line,) = log.splitlines()
    assert f"openai {version} is installed" in line
    assert "openai >= 1.92, < 4" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS", "http://gateway/"),
        ("OTEL_INSTRUMENTATION_DEEPSEEK_METRICS", "loud"),
    ],
)
def test_invalid_setting_is_logged_and_mlflow_is_instrumented(
    tmp_path: Path, name: str, value: str
) -> None:
    output, log = run_under_opentelemetry_instrument(tmp_path, **{name: value})
    assert output == "False True"
    (line,) = log.splitlines()
    assert line.startswith(f"Calls to DeepSeek are not recorded: {name} ")
    assert repr(value) in line


def test_supported_openai_is_instrumented(tmp_path: Path) -> None:
    install_metadata(tmp_path, "1.92.0")
    assert run_under_opentelemetry_instrument(tmp_path) == ("True True", "")


def test_mlflow_is_instrumented_without_openai() -> None:
    process = subprocess.run(
        [sys.executable, "-c", LOAD_WITHOUT_OPENAI + PROGRAM],
        capture_output=True,
        text=True,
        check=True,
    )
    # openai may also be installed later, for example by a notebook.
    assert (process.stdout, process.stderr) == ("True True\n", "")


@pytest.mark.parametrize(
    ("program", "is_logged"),
    [
        ("", True),
        ("del os.environ['OTEL_TRACES_EXPORTER']", False),
        ("_instrumentor.entry_points = lambda group: ['distro']", False),
        ("trace.set_tracer_provider(TracerProvider())", False),
    ],
)
def test_missing_distribution_is_logged(program: str, is_logged: bool) -> None:
    process = subprocess.run(
        [sys.executable, "-c", INSTRUMENT_WITHOUT_DISTRIBUTION.format(program)],
        env=os.environ | {"OTEL_TRACES_EXPORTER": "otlp,mlflow"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stderr == MISSING_DISTRIBUTION * is_logged


MISSING_DISTRIBUTION = (
    "OTEL_TRACES_EXPORTER has no effect, because no package configures OpenTelemetry's "
    "SDK. Install opentelemetry-distro.\n"
)
INSTRUMENT_WITHOUT_DISTRIBUTION = """
import os
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.instrumentation.deepseek import _instrumentor
_instrumentor.entry_points = lambda group: []
{}
_instrumentor.DeepSeekInstrumentor().instrument()
"""
