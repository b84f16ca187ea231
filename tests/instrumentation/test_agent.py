"""The spans of `examples/agent.py`, run with `opentelemetry-instrument`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from examples.otlp_receiver import OtlpReceiver

if TYPE_CHECKING:
    from examples.simulator import Simulator

AGENT = Path(__file__).parents[2] / "examples" / "agent.py"
INSTRUMENT = Path(sysconfig.get_path("scripts")) / "opentelemetry-instrument"


def run(deepseek: Simulator) -> list[Any]:
    """Runs the agent; returns the exported spans by start time."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("OTEL_")}
    with OtlpReceiver() as receiver:
        subprocess.run(
            [str(INSTRUMENT), sys.executable, str(AGENT)],
            env=environment
            | {
                "DEEPSEEK_API_KEY": "none",
                "DEEPSEEK_BASE_URL": deepseek.base_url,
                "OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS": urlsplit(
                    deepseek.base_url
                ).netloc,
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            },
            check=True,
            capture_output=True,
            timeout=60,
        )
    return sorted(receiver.spans, key=lambda span: span.start_ns)


def test_example_agent_makes_one_trace_per_question(deepseek: Simulator) -> None:
    spans = run(deepseek)

    names = {span.span_id: span.name for span in spans} | {"": None}
    assert [(names[span.parent_id], span.name) for span in spans] == [
        (None, "invoke_agent teller"),
        ("invoke_agent teller", "chat deepseek-flash"),
        ("invoke_agent teller", "execute_tool clock"),
        ("invoke_agent teller", "chat deepseek-flash"),
        (None, "invoke_agent teller"),
        ("invoke_agent teller", "chat deepseek-flash"),
    ]
    first_trace, second_trace = (
        {span.trace_id for span in spans[:4]},
        {span.trace_id for span in spans[4:]},
    )
    assert (len(first_trace), len(second_trace), len(first_trace | second_trace)) == (
        1,
        1,
        2,
    )

    baggage = {"user.id": "ada", "gen_ai.prompt.name": "time-teller"}
    assert all(baggage.items() <= span.attributes.items() for span in spans)
    conversations = [
        span.attributes.get("gen_ai.conversation.id")
        for span in spans
        if not span.name.startswith("execute_tool")
    ]
    assert conversations == ["talk-1"] * 5

    chat, tool = spans[1], spans[2]
    assert chat.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert (
        tool.attributes["gen_ai.tool.call.id"]
        in chat.attributes["gen_ai.output.messages"]
    )
    assert {span.scope for span in spans if span.name.startswith("chat")} == {
        "opentelemetry.instrumentation.deepseek"
    }
    assert all(span.status == "UNSET" for span in spans)


def test_baggage_and_trace_context_are_not_sent_to_deepseek(
    deepseek: Simulator,
) -> None:
    run(deepseek)
    headers = [exchange.request_headers for exchange in deepseek.exchanges]
    assert len(headers) == 3
    assert [h for h in headers if {"baggage", "traceparent"} & set(h)] == []
