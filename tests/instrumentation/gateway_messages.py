"""Messages of gateways and of servers of open models, and the parts to record.

DeepSeek itself sends none of them.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def text(value: str) -> Json:
    return {"type": "text", "content": value}


def reasoning(value: str) -> Json:
    return {"type": "reasoning", "content": value}


def tool_call(call_id: str | None, name: str, arguments: Any) -> Json:
    part = {"type": "tool_call", "name": name, "arguments": arguments}
    return part if call_id is None else part | {"id": call_id}


def call_delta(
    index: int | None, call_id: str | None, name: str | None, arguments: Any
) -> Json:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": call_id, "function": function}]}


STREAMS: dict[str, tuple[list[Json], list[Json]]] = {
    "tool calls without an index": (
        [
            call_delta(None, "c1", "f", '{"a":'),
            call_delta(None, None, None, "1}"),
            call_delta(None, "c2", "g", "{}"),
        ],
        [tool_call("c1", "f", {"a": 1}), tool_call("c2", "g", {})],
    ),
    "tool calls with the same index": (
        [
            call_delta(0, "c1", "f", '{"a":'),
            call_delta(0, "c1", None, "1}"),
            call_delta(0, "c2", "g", '{"b":'),
            call_delta(0, "", None, "2}"),
        ],
        [tool_call("c1", "f", {"a": 1}), tool_call("c2", "g", {"b": 2})],
    ),
    "interleaved tool calls": (
        [
            call_delta(0, "c1", "f", '{"a":'),
            call_delta(1, "c2", "g", '{"b":'),
            call_delta(0, None, None, "1}"),
            call_delta(1, None, None, "2}"),
        ],
        [tool_call("c1", "f", {"a": 1}), tool_call("c2", "g", {"b": 2})],
    ),
    "tool calls with the same id and other indexes": (
        [call_delta(0, "c", "f", "{}"), call_delta(1, "c", "g", "{}")],
        [tool_call("c", "f", {}), tool_call("c", "g", {})],
    ),
    "arguments as an object": (
        [call_delta(0, "c1", "f", {"city": "Paris"})],
        [tool_call("c1", "f", {"city": "Paris"})],
    ),
    "content as parts": (
        [
            {"content": [{"type": "thinking", "thinking": "H"}]},
            {"content": [{"type": "thinking", "thinking": "m."}]},
            {"content": [{"type": "text", "text": "Ye"}]},
            {"content": "s."},
        ],
        [reasoning("Hm."), text("Yes.")],
    ),
    "content after parts": (
        [{"content": "Look: "}, {"content": [{"type": "text", "text": "here"}]}],
        [text("Look: here")],
    ),
    "refusal": ([{"refusal": "I "}, {"refusal": "can't."}], [text("I can't.")]),
    "function call": (
        [
            {"function_call": {"name": "f", "arguments": '{"a"'}},
            {"function_call": {"arguments": ":1}"}},
        ],
        [tool_call(None, "f", {"a": 1})],
    ),
    "think tags": (
        [{"content": piece} for piece in ("\n<th", "ink>H", "m.\n</thi", "nk>\n\nYes")],
        [reasoning("Hm."), text("Yes")],
    ),
    "think tags without an end": (
        [{"content": "<think>Hm. </thi"}],
        [reasoning("Hm. </thi")],
    ),
    "think tags within the text": (
        [{"content": "Use <think>tags</think>."}],
        [text("Use <think>tags</think>.")],
    ),
    "beginning of a think tag": ([{"content": "<thi"}], [text("<thi")]),
    "surrogate pair in two chunks": (
        [{"content": "\ud83d"}, {"content": "\ude00"}],
        [text("😀")],
    ),
    "surrogate pairs of reasoning": (
        [{"reasoning_content": "a\ud83d"}, {"reasoning_content": "\ude00b"}],
        [reasoning("a😀b")],
    ),
    "surrogate pairs of arguments": (
        [
            call_delta(0, "c1", "f", '{"a":"\ud83d'),
            call_delta(0, None, None, '\ude00"}'),
        ],
        [tool_call("c1", "f", {"a": "😀"})],
    ),
}

function = {"name": "f", "arguments": {"city": "Paris"}}
MESSAGES: dict[str, tuple[Json, list[Json]]] = {
    "arguments as an object": (
        {"tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        [tool_call("c1", "f", {"city": "Paris"})],
    ),
    "content as parts": (
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                {"type": "text", "text": "Yes."},
                {"type": "text", "text": ""},
                {"type": "refusal", "refusal": "But no more."},
            ]
        },
        [reasoning("Hm."), text("Yes."), text("But no more.")],
    ),
    "thinking without text": (
        {"content": [{"type": "thinking", "signature": "x"}]},
        [text('{"type": "thinking", "signature": "x"}')],
    ),
    "reasoning": (
        {"reasoning": "Hm.", "content": "Yes."},
        [reasoning("Hm."), text("Yes.")],
    ),
    "refusal": ({"refusal": "I can't."}, [text("I can't.")]),
    "function call": (
        {"function_call": {"name": "f", "arguments": '{"a": 1}'}},
        [tool_call(None, "f", {"a": 1})],
    ),
    "think tags": (
        {"content": "<think>\nHm.\n</think>\n\nYes."},
        [reasoning("Hm."), text("Yes.")],
    ),
    "empty think tags": ({"content": "<think>\n\n</think>\n\nYes."}, [text("Yes.")]),
    "NaN in arguments": (
        {
            "tool_calls": [
                {
                    "id": "c1",
                    "function": {
                        "name": "f",
                        "arguments": '{"x":[1,NaN,2],"limit":Infinity}',
                    },
                }
            ]
        },
        [tool_call("c1", "f", '{"x":[1,NaN,2],"limit":Infinity}')],
    ),
    "infinite number in arguments": (
        {"function_call": {"name": "f", "arguments": '{"x":1e999}'}},
        [tool_call(None, "f", '{"x":1e999}')],
    ),
}
