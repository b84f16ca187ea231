"""Programs with the anthropic SDK, without it, and with a version that is too old."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import requires
from pathlib import Path

import pytest

from opentelemetry.instrumentation.deepseek.package import anthropic_instruments

INSTRUMENT = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"
# On a machine without openai.
WITHOUT_OPENAI = """
import sys
from importlib.metadata import PackageNotFoundError
from opentelemetry.instrumentation import dependencies

version = dependencies.version

def version_without_openai(name):
    if name == "openai":
        raise PackageNotFoundError(name)
    return version(name)

dependencies.version = version_without_openai
sys.modules["openai"] = None
"""
CALL = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import anthropic
from examples.simulator import Simulator

spans = []
class Processor(SimpleSpanProcessor):
    def on_end(self, span):
        spans.append((span.instrumentation_scope.name, span.name))
trace.get_tracer_provider().add_span_processor(Processor(None))
with Simulator() as simulator:
    client = anthropic.Anthropic(base_url=simulator.base_url, api_key="x")
    client = client.with_options(base_url=simulator.base_url + "/anthropic")
    client.messages.create(
        model="deepseek-flash",
        max_tokens=10,
        messages=[{"role": "user", "content": "?"}],
    )
print(spans)
"""
ONE_SPAN = "[('opentelemetry.instrumentation.deepseek', 'chat deepseek-flash')]\n"


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        env=os.environ
        | {
            "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": "127.0.0.1",
            "OTEL_LOGS_EXPORTER": "none",
            # The name of the entry point of OpenTelemetry's instrumentation.
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "anthropic",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_TRACES_EXPORTER": "none",
        }
        | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_program_under_opentelemetry_instrument_is_instrumented() -> None:
    process = run(INSTRUMENT, sys.executable, "-c", CALL)
    assert process.stdout == ONE_SPAN


def test_program_without_openai_is_instrumented() -> None:
    program = """
from opentelemetry import trace
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
DeepSeekInstrumentor().instrument()
"""
    process = run(sys.executable, "-c", WITHOUT_OPENAI + program + CALL)
    assert process.stdout == ONE_SPAN


def test_sdk_that_is_imported_first_is_instrumented() -> None:
    program = """
import anthropic
from opentelemetry import trace
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor
from opentelemetry.sdk.trace import TracerProvider

trace.set_tracer_provider(TracerProvider())
DeepSeekInstrumentor().instrument()
"""
    assert run(sys.executable, "-c", program + CALL).stdout == ONE_SPAN


@pytest.mark.parametrize("imported", ["openai", "json"])
def test_program_that_does_not_import_the_sdk_imports_no_module_for_it(
    imported: str,
) -> None:
    program = f"""
import sys
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

DeepSeekInstrumentor().instrument()
import {imported}
print([name for name in sys.modules if name.partition(".")[0] == "anthropic"])
if {imported!r} == "json":
    print([name for name in sys.modules if "util.genai" in name])
"""
    lines = run(sys.executable, "-c", program).stdout.splitlines()
    assert set(lines) == {"[]"}


@pytest.mark.parametrize("version", ["0.40.0", "3.0.0"])
def test_calls_of_an_unsupported_version_are_recorded_as_requests_of_httpx(
    tmp_path: Path, version: str
) -> None:
    metadata = tmp_path / f"anthropic-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: anthropic\nVersion: {version}\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    process = run(INSTRUMENT, sys.executable, "-c", CALL, PYTHONPATH=path)

    # The newest versions make a span of their own, which gets what it lacks.
    assert process.stdout in {
        ONE_SPAN,
        "[('com.anthropic.sdk.python', 'anthropic.messages.create')]\n",
    }
    (line,) = [line for line in process.stderr.splitlines() if "is installed" in line]
    assert f"anthropic {version} is installed" in line
    assert anthropic_instruments[0] in line


def test_extra_requires_the_same_versions() -> None:
    requirements = [
        line.partition(";")[0].replace(" ", "")
        for line in requires("opentelemetry-instrumentation-deepseek") or ()
        if line.endswith(('extra == "anthropic"', "extra == 'anthropic'"))
    ]
    assert [sorted(r) for r in requirements] == [
        sorted(i.replace(" ", "")) for i in anthropic_instruments
    ]
