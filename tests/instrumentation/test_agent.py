"""`examples/agent.py`, run as a user would: the whole tree, with who and what on it."""

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
    """The spans that arrived, in the order in which they were started."""
    given = {n: v for n, v in os.environ.items() if not n.startswith("OTEL_")}
    with OtlpReceiver() as receiver:
        subprocess.run(
            [str(INSTRUMENT), sys.executable, str(AGENT)],
            env=given
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


def test_the_example_agent_is_a_tree_for_each_question(deepseek: Simulator) -> None:
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
    first, second = (
        {span.trace_id for span in spans[:4]},
        {span.trace_id for span in spans[4:]},
    )
    assert (len(first), len(second), len(first | second)) == (1, 1, 2)

    who = {"user.id": "ada", "gen_ai.prompt.name": "time-teller"}
    assert all(who.items() <= span.attributes.items() for span in spans)
    conversations = [
        span.attributes.get("gen_ai.conversation.id")
        for span in spans
        if not span.name.startswith("execute_tool")
    ]
    assert conversations == ["talk-1"] * 5

    called, tool = spans[1], spans[2]
    assert called.attributes["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert tool.attributes["gen_ai.operation.name"] == "execute_tool"
    assert (
        tool.attributes["gen_ai.tool.call.id"]
        in called.attributes["gen_ai.output.messages"]
    )
    assert {span.scope for span in spans if span.name.startswith("chat")} == {
        "opentelemetry.instrumentation.deepseek"
    }
    assert all(span.status == "UNSET" for span in spans)


def test_what_is_on_the_spans_does_not_go_to_deepseek(deepseek: Simulator) -> None:
    run(deepseek)
    sent = [exchange.headers for exchange in deepseek.exchanges]
    assert len(sent) == 3
    assert [h for h in sent if {"baggage", "traceparent"} & set(h)] == []
