"""The package without the functions and modules that Python has only on Unix.

This shows what fails for want of a name. What else differs on Windows is tested there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from examples.otlp_receiver import OtlpReceiver

WINDOWS = Path(__file__).with_name("windows")

IMPORT_ALL = """
from importlib import import_module
from pkgutil import walk_packages

names = []
for name in (
    "opentelemetry.exporter.mlflow",
    "opentelemetry.instrumentation.deepseek",
    "opentelemetry.instrumentation.exit_flush",
):
    package = import_module(name)
    names.append(name)
    names += [module.name for module in walk_packages(package.__path__, name + ".")]
for name in names:
    import_module(name)
print(len(names))
"""

POOL = """
from multiprocessing import get_context

from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor

# A spawned process imports this file, too, before it runs a task.
ExitFlushInstrumentor().instrument()

def square(number):
    return number * number

if __name__ == "__main__":
    with get_context("spawn").Pool(1) as pool:
        print(pool.map_async(square, [3]).get(timeout=30))
"""

EXPORT = """
import signal

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from opentelemetry.instrumentation.exit_flush import ExitFlushInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_tracer_provider

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(MlflowSpanExporter()))
set_tracer_provider(provider)
DeepSeekInstrumentor().instrument()
ExitFlushInstrumentor().instrument()
with provider.get_tracer("test").start_as_current_span("span"):
    pass
signal.raise_signal(signal.SIGTERM)
"""


def run(tmp_path, program, **environment):
    file = tmp_path / "program.py"
    file.write_text(program)
    return subprocess.run(
        [sys.executable, str(file)],
        env=os.environ | {"PYTHONPATH": _python_path()} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _python_path():
    paths = [str(WINDOWS), os.environ.get("PYTHONPATH")]
    return os.pathsep.join(filter(None, paths))


def test_names_of_unix_are_missing(tmp_path):
    program = "import os, signal; print(hasattr(os, 'fork'), hasattr(signal, 'SIGHUP'))"
    assert run(tmp_path, program).stdout == "False False\n"


def test_every_module_can_be_imported(tmp_path):
    process = run(tmp_path, IMPORT_ALL)
    assert (process.returncode, process.stderr) == (0, "")
    assert int(process.stdout) > 150


def test_worker_of_a_pool_returns_its_result(tmp_path):
    process = run(tmp_path, POOL)
    assert (process.returncode, process.stdout) == (0, "[9]\n"), process.stderr
    assert process.stderr == ""


@pytest.mark.parametrize("spool", [False, True], ids=["memory", "spool"])
def test_spans_arrive_before_a_signal_ends_the_process(tmp_path, spool):
    with OtlpReceiver() as receiver:
        environment = {"OTEL_EXPORTER_MLFLOW_ENDPOINT": receiver.endpoint}
        if spool:
            environment["OTEL_EXPORTER_MLFLOW_SPOOL"] = str(tmp_path / "spool")
        process = run(tmp_path, EXPORT, **environment)
        # On Windows itself the status is 3.
        assert process.returncode in {-signal.SIGTERM, 3}
        assert process.stderr == ""
        assert [span.name for span in receiver.spans] == ["span"]
