"""One call with each supported version of Python that is installed.

`tox run -e 3.10` and so on run all tests that need no server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from examples.otlp_receiver import OtlpReceiver
from examples.simulator import Simulator
from tests.skipping import skip_unless_ci

ROOT = Path(__file__).parents[2]
CLASSIFIER = r'"Programming Language :: Python :: (3\.\d+)"'
VERSIONS = re.findall(CLASSIFIER, (ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = "anthropic,databricks,mlflow,openai"

PROGRAM = """
from importlib import import_module
from pkgutil import walk_packages

from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

for name in (
    "opentelemetry.exporter.mlflow",
    "opentelemetry.instrumentation.deepseek",
    "opentelemetry.instrumentation.exit_flush",
):
    for module in walk_packages(import_module(name).__path__, name + "."):
        import_module(module.name)

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(MlflowSpanExporter()))
DeepSeekInstrumentor().instrument(tracer_provider=provider)
OpenAI().chat.completions.create(
    model="deepseek-flash", messages=[{"role": "user", "content": "Hello"}]
)
provider.shutdown()
"""


def interpreter(version):
    """Return None if this version of Python is not installed."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    paths = [*pyenv.glob(f"versions/{version}.*/bin/python")]
    # A command of pyenv fails if its version is not enabled.
    if command := shutil.which(f"python{version}"):
        paths.append(Path(command))
    return next((path for path in paths if has_version(path, version)), None)


def has_version(path, version):
    program = "import sys; print(*sys.version_info[:2], sep='.')"
    process = subprocess.run(
        [path, "-c", program], capture_output=True, text=True, check=False
    )
    return process.stdout.strip() == version


def run(*command, **environment):
    process = subprocess.run(
        command,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout == ""


@pytest.mark.e2e
@pytest.mark.parametrize("version", VERSIONS)
def test_call_is_recorded_and_exported(version, tmp_path):
    python = interpreter(version)
    if python is None:
        reason = f"Python {version} is not installed"
        if version == VERSIONS[0]:
            # The others are tested on GitHub: not every machine has all of them.
            skip_unless_ci(reason)
        pytest.skip(reason)
    environment = tmp_path / "environment"
    uv = [sys.executable, "-m", "uv"]
    run(*uv, "venv", "--quiet", "--python", python, environment)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [*uv, "pip", "install", "--quiet", "--python", python]
    run(*install, f"{ROOT}[{EXTRAS}]")
    with OtlpReceiver() as receiver, Simulator() as simulator:
        run(
            *(python, "-W", "error::DeprecationWarning", "-c", PROGRAM),
            OPENAI_API_KEY="none",
            OPENAI_BASE_URL=simulator.base_url,
            OTEL_EXPORTER_MLFLOW_ENDPOINT=receiver.endpoint,
            OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS="*",
            PYTHONPATH="",
        )
        assert [span.name for span in receiver.spans] == ["chat deepseek-flash"]
