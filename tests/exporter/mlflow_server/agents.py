"""The spans of an agent that thinks, calls a tool and answers."""

from __future__ import annotations

import json


def message(role, *parts, **more):
    return {"role": role, "parts": list(parts)} | more


def text(content):
    return {"type": "text", "content": content}


CALL = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "P"}}
RESULT = {"type": "tool_call_response", "id": "c1", "response": '{"t": 21}'}
THOUGHT = {"type": "reasoning", "content": "I need the tool."}
TOOLS = json.dumps(
    [
        {
            "type": "function",
            "name": "weather",
            "description": "Weather of a city",
            "parameters": {"type": "object"},
        }
    ]
)
HISTORY = [message("system", text("Be kind.")), message("user", text("Paris?"))]


def chat(spans, history, answer, **more):
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "deepseek",
        "gen_ai.request.model": "deepseek-v4-flash",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.response.model": "deepseek-v4-flash",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_read.input_tokens": 600,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.reasoning.output_tokens": 40,
        "gen_ai.input.messages": json.dumps(history),
        "gen_ai.output.messages": json.dumps([answer]),
        "gen_ai.tool.definitions": TOOLS,
    }
    with spans.tracer.start_as_current_span(
        "chat deepseek-v4-flash", attributes=attributes | more
    ):
        pass


def agent(spans):
    """The spans of a request in which an agent thinks, calls a tool and answers."""
    with spans.tracer.start_as_current_span(
        "POST /ask", attributes={"session.id": "s-1", "enduser.id": "ann"}
    ):
        wants_tool = message("assistant", THOUGHT, CALL, finish_reason="tool_call")
        chat(spans, HISTORY, wants_tool, **{"gen_ai.conversation.id": "other"})
        with spans.tracer.start_as_current_span(
            "execute_tool weather",
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "weather",
                "gen_ai.tool.call.arguments": '{"city": "P"}',
                "gen_ai.tool.call.result": '{"t": 21}',
            },
        ):
            pass
        so_far = [*HISTORY, wants_tool, message("tool", RESULT)]
        chat(spans, so_far, message("assistant", text("21 °C."), finish_reason="stop"))
    return spans.take()
