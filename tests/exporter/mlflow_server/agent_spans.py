"""Makes the spans of an agent that reasons, calls a tool and answers."""

from __future__ import annotations

import json


def message(role, *parts, **fields):
    return {"role": role, "parts": list(parts)} | fields


def text_part(content):
    return {"type": "text", "content": content}


TOOL_CALL_PART = {
    "type": "tool_call",
    "id": "c1",
    "name": "weather",
    "arguments": {"city": "P"},
}
TOOL_RESULT_PART = {"type": "tool_call_response", "id": "c1", "response": '{"t": 21}'}
REASONING_PART = {"type": "reasoning", "content": "I need the tool."}
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
PROMPT = [
    message("system", text_part("Be kind.")),
    message("user", text_part("Paris?")),
]


def make_chat_span(spans, input_messages, output_message, **attributes):
    defaults = {
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
        "gen_ai.input.messages": json.dumps(input_messages),
        "gen_ai.output.messages": json.dumps([output_message]),
        "gen_ai.tool.definitions": TOOLS,
    }
    with spans.tracer.start_as_current_span(
        "chat deepseek-v4-flash", attributes=defaults | attributes
    ):
        pass


def make_agent_spans(spans):
    """The spans of an HTTP request that runs the agent, in the order of their end."""
    with spans.tracer.start_as_current_span(
        "POST /ask", attributes={"session.id": "s-1", "enduser.id": "ann"}
    ):
        tool_call = message(
            "assistant", REASONING_PART, TOOL_CALL_PART, finish_reason="tool_call"
        )
        make_chat_span(spans, PROMPT, tool_call, **{"gen_ai.conversation.id": "other"})
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
        messages = [*PROMPT, tool_call, message("tool", TOOL_RESULT_PART)]
        answer = message("assistant", text_part("21 °C."), finish_reason="stop")
        make_chat_span(spans, messages, answer)
    return spans.take()
