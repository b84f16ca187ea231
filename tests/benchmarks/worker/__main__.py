"""Command line: `python -m tests.benchmarks.worker SUBJECT MODE`.

Reads the names of cases from standard input, one per line. For each it measures a round
and writes the result to standard output, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

from .benchmark import Benchmark
from .patches import Patches
from .subjects import SUBJECTS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

# Packages whose versions are reported in addition to that of the subject.
_COMMON_PACKAGES: Final = ("openai", "opentelemetry-sdk", "pydantic")


class _SpanCounter(SpanProcessor):
    """Counts and drops spans, because the benchmark does not include an exporter."""

    count = 0

    def on_end(self, span: ReadableSpan) -> None:
        self.count += 1


def main(name: str, mode: str) -> None:
    # Prints of other packages go to standard error instead of the responses.
    responses = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    subject = SUBJECTS[name]
    sampled = not mode.startswith("unsampled")
    span_counter = _SpanCounter()
    tracer_provider = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
    tracer_provider.add_span_processor(span_counter)
    providers = {"tracer_provider": tracer_provider}
    if mode.endswith("metrics"):
        providers["meter_provider"] = MeterProvider([InMemoryMetricReader()])
    benchmark = Benchmark(Patches(partial(subject.instrument, **providers)))
    versions = {
        name: version(name) for name in (subject.distribution, *_COMMON_PACKAGES)
    }
    print(json.dumps(versions), file=responses, flush=True)
    for line in sys.stdin:
        result = benchmark.round(line.strip())
        if span_counter.count != benchmark.instrumented_calls * sampled:
            raise RuntimeError(
                f"{span_counter.count} spans for "
                f"{benchmark.instrumented_calls} instrumented calls"
            )
        print(json.dumps(asdict(result)), file=responses, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
