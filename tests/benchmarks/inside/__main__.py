"""`python -m tests.benchmarks.inside SUBJECT MODE`: measures what it is asked for.

Cases come in by standard input, one a line; a round of each goes out as JSON.
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

from .measuring import Measuring
from .patches import Patches
from .subjects import SUBJECTS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_SHARED: Final = ("openai", "opentelemetry-sdk", "pydantic")


class _Ended(SpanProcessor):
    """The exporter's part is nobody's here: spans are counted and dropped."""

    count = 0

    def on_end(self, span: ReadableSpan) -> None:
        self.count += 1


def main(name: str, mode: str) -> None:
    # Whoever prints must not end up among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    subject = SUBJECTS[name]
    sampled = mode != "unsampled"
    ended = _Ended()
    tracer_provider = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
    tracer_provider.add_span_processor(ended)
    providers = {"tracer_provider": tracer_provider}
    if mode == "metrics":
        providers["meter_provider"] = MeterProvider([InMemoryMetricReader()])
    measuring = Measuring(Patches(partial(subject.switch_on, **providers)))
    versions = {name: version(name) for name in (subject.distribution, *_SHARED)}
    print(json.dumps(versions), file=answers, flush=True)
    for line in sys.stdin:
        measured = measuring.round(line.strip())
        if ended.count != measuring.observed_calls * sampled:
            raise RuntimeError(
                f"{ended.count} spans of {measuring.observed_calls} observed calls"
            )
        print(json.dumps(asdict(measured)), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
