"""The spans of a trace with a chat call and a tool call."""

from __future__ import annotations

import json

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "deepseek",
    "gen_ai.request.model": "deepseek-chat",
    "gen_ai.response.model": "deepseek-v4-flash",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Wie heißt 🐘?"}]}]
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "Elefant."}],
                "finish_reason": "stop",
            }
        ]
    ),
    "mlflow.llm.cost": json.dumps(
        {"input_cost": 1e-06, "output_cost": 2e-06, "total_cost": 3e-06}
    ),
}


def agent_trace(spans):
    """Return a chat span, a tool span, and their parent: the span of a web request."""
    with spans.tracer.start_as_current_span(
        "POST /ask", attributes={"session.id": "s-1", "user.id": "ann"}
    ):
        with spans.tracer.start_as_current_span("chat", attributes=CHAT):
            pass
        with spans.tracer.start_as_current_span(
            "execute_tool weather",
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.call.arguments": '{"city": "P"}',
                "gen_ai.tool.call.result": '{"t": 21}',
            },
        ) as tool:
            tool.add_event("seen", {"a": 1})
    return spans.take()
