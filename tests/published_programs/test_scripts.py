"""Scripts whose calls have no span of a framework around them."""

from __future__ import annotations

import json

import pytest
from dirty_equals import IsStr

from .telemetry import ModelCall, assert_complete, conversation, outline

pytestmark = pytest.mark.e2e


def tool_call(response: str) -> dict[str, str]:
    """The only tool call of a completion, which MLflow shows if there is no text."""
    (choice,) = json.loads(response)["choices"]
    (call,) = choice["message"]["tool_calls"]
    return call["function"]


def test_deepseeks_sample_of_function_calling_is_two_calls(run_program, telemetry):
    process = run_program("deepseek_function_calling")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == (
        "User>\t How's the weather in Hangzhou?\nModel>\t In Hangzhou it is 24℃.\n"
    )
    assert telemetry.model_calls == [ModelCall("chat deepseek-v4-pro")] * 2
    assert_complete(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [
        [(0, "CHAT_MODEL", "chat deepseek-v4-pro")]
    ] * 2
    first, second = map(conversation, telemetry.traces)
    assert first[:2] == ("OK", "How's the weather in Hangzhou?")
    assert tool_call(first[2]) == {
        "name": "get_weather",
        "arguments": '{"location": "Hangzhou"}',
    }
    assert second == ("OK", "How's the weather in Hangzhou?", "In Hangzhou it is 24℃.")


def test_instructor_is_a_call_for_each_object(run_program, telemetry):
    process = run_program("instructor_client")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines() == [
        "User(name='Jason', age=25)",
        "User(name='Maria', age=31)",
        "name=None age=None … User(name='Robert', age=42)",
    ]
    assert telemetry.model_calls == [ModelCall("chat deepseek-flash")] * 3
    assert_complete(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [
        [(0, "CHAT_MODEL", "chat deepseek-flash")]
    ] * 3
    maria = '{\n  "name": "Maria",\n  "age": 31\n}'
    assert [conversation(trace) for trace in telemetry.traces] == [
        ("OK", "Jason is 25 years old", "Let me look that up."),
        ("OK", IsStr(regex="Maria is 31 years old.*"), maria),
        ("OK", "Robert is 42 years old", "Let me look that up."),
    ]


def test_a_hand_off_between_agents_is_a_call_for_each_step(run_program, telemetry):
    process = run_program("openai_agents")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == (
        "Refund agent: The refund of order 1234 was paid on Monday.\n"
    )
    assert telemetry.model_calls == [ModelCall("chat deepseek-flash")] * 3
    assert_complete(telemetry)
    assert [outline(trace) for trace in telemetry.traces] == [
        [(0, "CHAT_MODEL", "chat deepseek-flash")]
    ] * 3
    question = "What is the refund of order 1234?"
    *calls, answer = map(conversation, telemetry.traces)
    assert [call[:2] for call in calls] == [("OK", question)] * 2
    assert [tool_call(call[2]) for call in calls] == [
        {"name": "transfer_to_refund_agent", "arguments": "{}"},
        {"name": "get_refund", "arguments": '{"order": 1234}'},
    ]
    assert answer == ("OK", question, "The refund of order 1234 was paid on Monday.")
