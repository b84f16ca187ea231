"""Spans of Strands Agents and Azure's SDK, with messages in events."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from .two_experiments import load_spans, type_inputs_outputs

pytestmark = pytest.mark.e2e

PROMPT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "How is the weather in Paris?"},
]
ANSWER = "In Paris it is 18 degrees in Paris."


def tool_call_message(call_id, content="Let me look that up."):
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


def tool_message(call_id, content="18 degrees in Paris"):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def choices(message, finish_reason):
    return [{"index": 0, "message": message, "finish_reason": finish_reason}]


def text_choices(content, finish_reason="end_turn"):
    return choices({"role": "assistant", "content": content}, finish_reason)


def test_strands_agent(experiments):
    spans = load_spans("strands.json")
    experiments.export(spans)
    last_by_name = {
        span.name: [type_inputs_outputs(stored) for stored in experiments.read(span)]
        for span in spans
    }
    del last_by_name["execute_event_loop_cycle"]
    call_id = "call_00_p8GF59wd2RNQyDuK1kKFEBT2"
    unmapped_prompt = [
        {**message, "content": [{"text": message["content"]}]} for message in PROMPT
    ]
    tool_use = {"toolUseId": call_id, "name": "get_weather", "input": {"city": "Paris"}}
    assert last_by_name == {
        "chat": [
            (
                "CHAT_MODEL",
                {
                    "model": "deepseek-flash",
                    "messages": [
                        *PROMPT,
                        tool_call_message(call_id),
                        tool_message(call_id),
                    ],
                },
                {"choices": text_choices(ANSWER)},
            ),
            (
                "CHAT_MODEL",
                [
                    *unmapped_prompt,
                    {
                        "role": "assistant",
                        "content": [
                            {"text": "Let me look that up."},
                            {"toolUse": tool_use},
                        ],
                    },
                ],
                None,
            ),
        ],
        "execute_tool get_weather": [
            ("TOOL", {"city": "Paris"}, "18 degrees in Paris"),
            ("TOOL", None, None),
        ],
        "invoke_agent weather agent": [
            (
                "AGENT",
                {"model": "deepseek-flash", "messages": PROMPT},
                {"choices": text_choices(f"{ANSWER}\n")},
            ),
            ("AGENT", unmapped_prompt, None),
        ],
    }


def test_strands_agent_with_events_of_current_conventions(experiments):
    """Strands Agents adds these events with gen_ai_latest_experimental."""
    spans = load_spans("strands_details.json")
    experiments.export(spans)
    last_by_name = {
        span.name: [type_inputs_outputs(stored) for stored in experiments.read(span)]
        for span in spans
    }
    assert last_by_name["invoke_agent weather agent"] == [
        (
            "AGENT",
            {"model": "deepseek-flash", "messages": PROMPT},
            {"choices": text_choices(f"{ANSWER}\n")},
        ),
        ("AGENT", None, None),
    ]
    call_id = "call_00_DZ445TmMFLuXisiB9h5lViHU"
    result_text = '[{"text": "18 degrees in Paris"}]'
    assert [inputs_outputs[0] for _, *inputs_outputs in last_by_name["chat"]] == [
        {
            "model": "deepseek-flash",
            "messages": [
                *PROMPT,
                tool_call_message(call_id),
                tool_message(call_id, result_text),
            ],
        },
        None,
    ]


def test_azure_sdk_call(experiments):
    spans = load_spans("azure.json")
    experiments.export(spans)
    first, second = (
        [type_inputs_outputs(stored) for stored in experiments.read(span)]
        for span in spans
    )
    call_id = "call_00_UiXKs20GW6ivzbjmeRZ9MdFl"
    assert second == [
        (
            "CHAT_MODEL",
            {
                "model": "deepseek-flash",
                "messages": [
                    *PROMPT,
                    tool_call_message(call_id, ""),
                    tool_message(call_id),
                ],
            },
            {
                "id": "2590d702-17a2-4352-9165-ae604ef7ce8c",
                "model": "deepseek-flash",
                "choices": text_choices(ANSWER, "stop"),
            },
        ),
        ("CHAT_MODEL", None, None),
    ]
    assert first[0][2] == {
        "id": "7794dd7c-df3c-4bb4-85e2-963aa51a50f6",
        "model": "deepseek-flash",
        "choices": choices(tool_call_message(call_id), "tool_calls"),
    }
    info = experiments.client.get_trace(f"tr-{spans[1].context.trace_id:032x}").info
    assert (info.request_preview, info.response_preview) == snapshot(
        ("How is the weather in Paris?", "In Paris it is 18 degrees in Paris.")
    )
