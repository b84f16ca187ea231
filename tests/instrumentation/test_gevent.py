"""Greenlets of gevent: every started span ends, with its greenlet's span as parent.

This also holds for greenlets that are killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from examples.simulator import Simulator

# Runs in a process of its own, because monkey-patching cannot be undone.
PROGRAM = """
import signal
signal.alarm(60)
from gevent import monkey
monkey.patch_all()

import collections, gc, json, logging, sys
import gevent
import openai
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

base_url, instrumented = sys.argv[1], sys.argv[2] == "True"
logging.basicConfig(stream=sys.stderr, level=logging.WARNING)

class StartCounter(SpanProcessor):
    count = 0
    def on_start(self, *_, **__):
        self.count += 1

memory, starts, provider = InMemorySpanExporter(), StartCounter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
provider.add_span_processor(starts)
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)
# The SDK's first call forks to run `uname`, and OpenTelemetry's fork hooks yield to
# gevent's hub. Waiting greenlets would then run in the child, and fork again.
client.models.list()
if instrumented:
    DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])
tracer = provider.get_tracer("app")

def call(question, **arguments):
    return client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": question}],
        **arguments,
    )

def completed(number):
    return call(f"{number}?").choices[0].finish_reason

def stream(number):
    return list(call(f"{number}?", stream=True))[-1].choices[0].finish_reason

def waiting(number):
    call(f"{number}?", extra_headers={"x-simulator-fault": "slow=30"})

first_chunks = []

def reading(number):
    for _ in call(f"{number}?", stream=True):
        first_chunks.append(number)
        gevent.sleep(30)

def work(function, number):
    with tracer.start_as_current_span(f"{function.__name__} {number}"):
        return function(number)

functions = (completed, stream, waiting, reading)
greenlets = {
    (function.__name__, n): gevent.spawn(work, function, n)
    for n in range(10)
    for function in functions
}
finishing = [
    g for (name, _), g in greenlets.items() if name in ("completed", "stream")
]
hanging = [g for g in greenlets.values() if g not in finishing]
gevent.joinall(finishing, timeout=30)
# A stream that is killed before its first chunk fails instead of ending early.
while len(first_chunks) < 10:
    gevent.sleep(0.01)
gevent.killall(hanging, timeout=10)
gc.collect()

spans = memory.get_finished_spans()
parents = {s.context.span_id: s.name for s in spans if s.parent is None}
chats = [s for s in spans if s.name.startswith("chat")]
print(json.dumps({
    "finish reasons": collections.Counter(g.value for g in finishing),
    "alive": sum(not g.dead for g in greenlets.values()),
    "started": starts.count,
    "ended": len(spans),
    "distinct parents": len({parents[s.parent.span_id] for s in chats}),
    "errors": collections.Counter(str(s.attributes.get("error.type")) for s in chats),
}))
"""


@pytest.mark.parametrize("instrumented", [False, True])
def test_each_span_has_parent_of_its_greenlet_and_killed_ones_end(
    deepseek: Simulator, instrumented: bool
) -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, deepseek.base_url, str(instrumented)],
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert (process.returncode, process.stderr) == (0, "")
    assert json.loads(process.stdout) == {
        "finish reasons": {"stop": 20},
        "alive": 0,
        "started": 80 if instrumented else 40,
        "ended": 80 if instrumented else 40,
        "distinct parents": 40 if instrumented else 0,
        "errors": {"None": 30, "greenlet.GreenletExit": 10} if instrumented else {},
    }
