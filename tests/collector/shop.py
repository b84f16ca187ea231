"""A program that calls DeepSeek, and an agent in it."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

import openai
import pytest
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.util.genai.handler import TelemetryHandler

from opentelemetry.exporter.mlflow import MlflowSpanExporter
from opentelemetry.instrumentation.deepseek import DeepSeekInstrumentor

# Of one round.
CALLS, FAILED, STEPS = 8, {"openai.RateLimitError": 1, "stream_cut": 1}, 3


class Application:
    """Calls DeepSeek's simulator, and sends what was recorded when told to."""

    def __init__(self, simulator, collector):
        resource = Resource.create({"service.name": "shop", "process.pid": 4711})
        self.tracers = TracerProvider(resource=resource)
        for exporter in (
            OTLPSpanExporter(f"{collector.endpoint}/v1/traces"),
            MlflowSpanExporter(endpoint=f"http://127.0.0.1:{collector.port('MLFLOW')}"),
        ):
            # What comes in one piece is counted at one moment.
            self.tracers.add_span_processor(
                BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000)
            )
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(f"{collector.endpoint}/v1/metrics"), math.inf
        )
        self.meters = MeterProvider([reader], resource=resource)
        self.simulator = simulator
        self.deepseek = openai.OpenAI(
            base_url=simulator.base_url, api_key="any", max_retries=0
        )

    def __enter__(self):
        DeepSeekInstrumentor().instrument(
            tracer_provider=self.tracers,
            meter_provider=self.meters,
            hosts=[urlsplit(self.simulator.base_url).netloc],
        )
        return self

    def __exit__(self, *exc):
        DeepSeekInstrumentor().uninstrument()
        self.deepseek.close()
        self.tracers.shutdown()
        self.meters.shutdown()

    def round(self):
        handler = TelemetryHandler(tracer_provider=self.tracers)
        with handler.invoke_local_agent(agent_name="clerk") as agent:
            # Agents that sum up: their calls' tokens, once more.
            agent.input_tokens, agent.output_tokens = 10_000, 10_000
            for model in ("deepseek-flash", "deepseek-v4-pro"):
                for question in ("Who wrote Faust?", "Who wrote Emma?"):
                    self._ask(model, question)
                self._ask(model, "How many r's are in strawberry?", stream=True)
            with handler.tool("look_up"):
                pass
            with pytest.raises(ValueError, match="no such"), handler.tool("look_up"):
                raise ValueError("no such book")
        self.simulator.fail_next("429")
        with pytest.raises(openai.RateLimitError):
            self._ask("deepseek-flash", "Too much?")
        self.simulator.fail_next("cut")
        self._ask("deepseek-v4-pro", "And then?", stream=True)
        self.tracers.force_flush()
        self.meters.force_flush()

    def _ask(self, model, question, *, stream=False):
        answer = self.deepseek.chat.completions.create(
            model=model,
            messages=[
                {"role": "system", "content": "You know books. " * 40},
                {"role": "user", "content": question},
            ],
            stream=stream,
        )
        if stream:
            list(answer)
