"""Under gevent, greenlets are what threads are elsewhere: as many spans end as were
started, each below the span of its greenlet, killed or not."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from examples.simulator import Simulator

# A process of its own: there is no way back from monkey-patching.
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

class Started(SpanProcessor):
    count = 0
    def on_start(self, *_, **__):
        self.count += 1

memory, started, provider = InMemorySpanExporter(), Started(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
provider.add_span_processor(started)
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)
# The SDK's first call runs `uname`. OpenTelemetry's hooks at a fork let gevent's hub go
# on: with greenlets waiting, they would all run on in the child, and fork again.
client.models.list()
if instrumented:
    DeepSeekInstrumentor().instrument(tracer_provider=provider, hosts=["127.0.0.1"])
tracer = provider.get_tracer("app")

def ask(question, **more):
    return client.chat.completions.create(
        model="deepseek-flash",
        messages=[{"role": "user", "content": question}],
        **more,
    )

def plain(number):
    return ask(f"{number}?").choices[0].finish_reason

def stream(number):
    return list(ask(f"{number}?", stream=True))[-1].choices[0].finish_reason

def waiting(number):
    ask(f"{number}?", extra_headers={"x-simulator-fault": "slow=30"})

def reading(number):
    for _ in ask(f"{number}?", stream=True):
        gevent.sleep(30)

def work(kind, number):
    with tracer.start_as_current_span(f"{kind.__name__} {number}"):
        return kind(number)

kinds = (plain, stream, waiting, reading)
greenlets = {
    (kind.__name__, n): gevent.spawn(work, kind, n) for n in range(10) for kind in kinds
}
ends = [g for (name, _), g in greenlets.items() if name in ("plain", "stream")]
hangs = [g for g in greenlets.values() if g not in ends]
gevent.joinall(ends, timeout=30)
gevent.sleep(0.3)
gevent.killall(hangs, timeout=10)
gc.collect()

spans = memory.get_finished_spans()
apps = {s.context.span_id: s.name for s in spans if s.parent is None}
chats = [s for s in spans if s.name.startswith("chat")]
print(json.dumps({
    "answered": collections.Counter(g.value for g in ends),
    "alive": sum(not g.dead for g in greenlets.values()),
    "started": started.count,
    "ended": len(spans),
    "below its own": len({apps[s.parent.span_id] for s in chats}),
    "errors": collections.Counter(str(s.attributes.get("error.type")) for s in chats),
}))
"""


@pytest.mark.parametrize("instrumented", [False, True])
def test_greenlets_share_a_client_and_some_are_killed(
    deepseek: Simulator, instrumented: bool
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, deepseek.base_url, str(instrumented)],
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == {
        "answered": {"stop": 20},
        "alive": 0,
        "started": 80 if instrumented else 40,
        "ended": 80 if instrumented else 40,
        "below its own": 40 if instrumented else 0,
        "errors": {"None": 30, "greenlet.GreenletExit": 10} if instrumented else {},
    }
