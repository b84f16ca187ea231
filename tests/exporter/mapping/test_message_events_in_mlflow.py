"""Spans of Strands Agents and Azure's SDK, whose messages are on events."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from .sides import looks, recorded

pytestmark = pytest.mark.e2e

ASKED = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "How is the weather in Paris?"},
]
ANSWER = "In Paris it is 18 degrees in Paris."


def calling(call, content="Let me look that up."):
    """The message of a model that calls the tool."""
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"id": call, "type": "function", "function": function}],
    }


def result(call, content="18 degrees in Paris"):
    return {"role": "tool", "tool_call_id": call, "content": content}


def choices(message, finish_reason):
    return [{"index": 0, "message": message, "finish_reason": finish_reason}]


def answered(content, finish_reason="end_turn"):
    return choices({"role": "assistant", "content": content}, finish_reason)


def test_an_agent_of_strands_has_its_messages_on_events(sides):
    spans = recorded("strands.json")
    sides.export(spans)
    last = {span.name: [looks(one) for one in sides.both(span)] for span in spans}
    del last["execute_event_loop_cycle"]
    call = "call_00_p8GF59wd2RNQyDuK1kKFEBT2"
    plain = [{**one, "content": [{"text": one["content"]}]} for one in ASKED]
    use = {"toolUseId": call, "name": "get_weather", "input": {"city": "Paris"}}
    assert last == {
        "chat": [
            (
                "CHAT_MODEL",
                {
                    "model": "deepseek-flash",
                    "messages": [*ASKED, calling(call), result(call)],
                },
                {"choices": answered(ANSWER)},
            ),
            (
                "CHAT_MODEL",
                [
                    *plain,
                    {
                        "role": "assistant",
                        "content": [
                            {"text": "Let me look that up."},
                            {"toolUse": use},
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
                {"model": "deepseek-flash", "messages": ASKED},
                {"choices": answered(f"{ANSWER}\n")},
            ),
            ("AGENT", plain, None),
        ],
    }


def test_an_agent_of_strands_as_of_today_does_not_look_otherwise(sides):
    """With gen_ai_latest_experimental, on events of another name."""
    spans = recorded("strands_details.json")
    sides.export(spans)
    last = {span.name: [looks(one) for one in sides.both(span)] for span in spans}
    assert last["invoke_agent weather agent"] == [
        (
            "AGENT",
            {"model": "deepseek-flash", "messages": ASKED},
            {"choices": answered(f"{ANSWER}\n")},
        ),
        ("AGENT", None, None),
    ]
    call = "call_00_DZ445TmMFLuXisiB9h5lViHU"
    found = '[{"text": "18 degrees in Paris"}]'
    assert [side[0] for _, *side in last["chat"]] == [
        {
            "model": "deepseek-flash",
            "messages": [*ASKED, calling(call), result(call, found)],
        },
        None,
    ]


def test_a_call_of_azures_sdk_has_its_messages_on_events(sides):
    spans = recorded("azure.json")
    sides.export(spans)
    first, second = ([looks(one) for one in sides.both(span)] for span in spans)
    call = "call_00_UiXKs20GW6ivzbjmeRZ9MdFl"
    assert second == [
        (
            "CHAT_MODEL",
            {
                "model": "deepseek-flash",
                "messages": [*ASKED, calling(call, ""), result(call)],
            },
            {
                "id": "2590d702-17a2-4352-9165-ae604ef7ce8c",
                "model": "deepseek-flash",
                "choices": answered(ANSWER, "stop"),
            },
        ),
        ("CHAT_MODEL", None, None),
    ]
    assert first[0][2] == {
        "id": "7794dd7c-df3c-4bb4-85e2-963aa51a50f6",
        "model": "deepseek-flash",
        "choices": choices(calling(call), "tool_calls"),
    }
    info = sides.client.get_trace(f"tr-{spans[1].context.trace_id:032x}").info
    assert (info.request_preview, info.response_preview) == snapshot(
        ("How is the weather in Paris?", "In Paris it is 18 degrees in Paris.")
    )
