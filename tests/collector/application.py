"""An instrumented application with an agent that calls DeepSeek."""

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

# The numbers of calls, failed calls by error type, and agent steps in one round.
CALLS_PER_ROUND = 8
FAILED_CALLS_PER_ROUND = {"openai.RateLimitError": 1, "stream_cut": 1}
STEPS_PER_ROUND = 3


class Application:
    """Calls the DeepSeek simulator, and exports its telemetry after each round."""

    def __init__(self, simulator, collector):
        resource = Resource.create({"service.name": "shop", "process.pid": 4711})
        self.tracer_provider = TracerProvider(resource=resource)
        for exporter in (
            OTLPSpanExporter(f"{collector.endpoint}/v1/traces"),
            MlflowSpanExporter(endpoint=f"http://127.0.0.1:{collector.port('MLFLOW')}"),
        ):
            # One export per round, so that its spans are counted at the same time.
            self.tracer_provider.add_span_processor(
                BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000)
            )
        reader = PeriodicExportingMetricReader(
            OTLPMetricExporter(f"{collector.endpoint}/v1/metrics"), math.inf
        )
        self.meter_provider = MeterProvider([reader], resource=resource)
        self.simulator = simulator
        self.client = openai.OpenAI(
            base_url=simulator.base_url, api_key="any", max_retries=0
        )

    def __enter__(self):
        DeepSeekInstrumentor().instrument(
            tracer_provider=self.tracer_provider,
            meter_provider=self.meter_provider,
            hosts=[urlsplit(self.simulator.base_url).netloc],
        )
        return self

    def __exit__(self, *exc):
        DeepSeekInstrumentor().uninstrument()
        self.client.close()
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()

    def run_round(self):
        handler = TelemetryHandler(tracer_provider=self.tracer_provider)
        with handler.invoke_local_agent(agent_name="clerk") as agent:
            # Some agents report the tokens of their calls again.
            agent.input_tokens, agent.output_tokens = 10_000, 10_000
            for model in ("deepseek-flash", "deepseek-v4-pro"):
                for question in ("Who wrote Faust?", "Who wrote Emma?"):
                    self._call(model, question)
                self._call(model, "How many r's are in strawberry?", stream=True)
            with handler.tool("look_up"):
                pass
            with pytest.raises(ValueError, match="no such"), handler.tool("look_up"):
                raise ValueError("no such book")
        self.simulator.fail_next("429")
        with pytest.raises(openai.RateLimitError):
            self._call("deepseek-flash", "Too much?")
        self.simulator.fail_next("cut")
        self._call("deepseek-v4-pro", "And then?", stream=True)
        self.tracer_provider.force_flush()
        self.meter_provider.force_flush()

    def _call(self, model, question, *, stream=False):
        response = self.client.chat.completions.create(
            model=model,
            messages=[
                {"role": "system", "content": "You know books. " * 40},
                {"role": "user", "content": question},
            ],
            stream=stream,
        )
        if stream:
            list(response)
