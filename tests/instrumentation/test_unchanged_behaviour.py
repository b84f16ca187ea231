"""A call returns, raises and sends the same with and without instrumentation.

This holds for every argument that an application may pass, and the span always ends.
"""

from __future__ import annotations

import json
from collections import UserDict
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import QUESTION, SAMPLES, sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.simulator import Simulator

    from .comparison import Comparison

# Parts that cannot be read are logged. Comparison checks the log for other losses.
pytestmark = pytest.mark.internal_error

TOOL = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())["tools"][
    0
]
TOOL_CALL = {
    "id": "1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}


@pytest.fixture(autouse=True)
def _responses(deepseek: Simulator) -> None:
    deepseek.answer_next(sample("chat_plain.json"), times=2)


ITERATORS: dict[str, Callable[[], dict[str, Any]]] = {
    "generator of messages": lambda: {"messages": (m for m in QUESTION)},
    "map": lambda: {"messages": map(dict, QUESTION)},
    "view of a dictionary": lambda: {"messages": dict(enumerate(QUESTION)).values()},
    "iterator of tools": lambda: {"tools": iter([TOOL])},
    "iterator of content parts": lambda: {
        "messages": [
            {"role": "user", "content": iter([{"type": "text", "text": "Hi"}])}
        ]
    },
    "iterator of tool calls": lambda: {
        "messages": [{"role": "assistant", "tool_calls": iter([TOOL_CALL])}]
    },
}


@pytest.mark.parametrize("name", ITERATORS)
def test_iterator_is_sent_completely(comparison: Comparison, name: str) -> None:
    ((body, _),) = comparison(ITERATORS[name]).requests

    arguments = json.loads(json.dumps(ITERATORS[name](), default=list))
    assert arguments.items() <= json.loads(body).items()


class UnreadableError(Exception):
    def __str__(self) -> str:
        raise ValueError("the message cannot be read either")


def raising_methods(*names: str) -> dict[str, Any]:
    def raises(*_: Any, **__: Any) -> Any:
        raise UnreadableError

    return dict.fromkeys(names, raises)


Dict: Any = type("Dict", (dict,), raising_methods("get"))
User: Any = type("User", (UserDict,), raising_methods("get"))
List: Any = type(
    "List", (list,), raising_methods("__iter__", "__len__", "__bool__", "__eq__")
)
Str: Any = type(
    "Str",
    (str,),
    raising_methods(
        "__str__", "__format__", "__repr__", "__len__", "isascii", "encode"
    ),
)
Int: Any = type(
    "Int",
    (int,),
    raising_methods("__eq__", "__lt__", "__le__", "__ge__") | {"__hash__": None},
)
Float: Any = type("Float", (float,), raising_methods("__eq__", "__float__", "__str__"))
Object: Any = type(
    "Object",
    (),
    raising_methods(
        "__getattr__", "__str__", "__repr__", "__eq__", "__bool__", "__len__"
    )
    | {"__hash__": None},
)
Iterates: Any = type("Iterates", (), raising_methods("__iter__"))


class Model(str, Enum):
    FLASH = "deepseek-flash"


def generator_that_raises() -> Any:
    yield QUESTION[0]
    raise UnreadableError


ODD_ARGUMENTS: dict[str, dict[str, Any]] = {
    "message whose get raises": {"messages": [*QUESTION, Dict(QUESTION[0])]},
    "mapping whose get raises": {"messages": [User(QUESTION[0])]},
    "part whose get raises": {
        "messages": [{"role": "user", "content": [Dict(type="text", text="Hi")]}]
    },
    "tool whose get raises": {"tools": [Dict(TOOL)]},
    "format whose get raises": {"response_format": Dict(type="text")},
    "body whose get raises": {
        "extra_body": Dict(thinking=Dict(type="enabled")),
        "temperature": 0.5,
    },
    "content whose str raises": {"messages": [{"role": "user", "content": Str("Hi")}]},
    "model whose str raises": {"model": Str("deepseek-flash")},
    "reasoning effort whose str raises": {"reasoning_effort": Str("high")},
    "enum as model": {"model": Model.FLASH},
    "number whose comparison raises": {"n": Int(1), "seed": Int(7), "top_p": 0.5},
    "real number whose float raises": {"temperature": Float(0.5)},
    "list whose iter raises": {"stop": List(["END"]), "seed": 7},
    "messages whose iter raises": {"messages": List(QUESTION)},
    "messages of which only iter raises": {"messages": Iterates()},
    "opaque object as messages": {"messages": Object()},
    "opaque object as message": {"messages": [*QUESTION, Object()]},
    "opaque object as tool": {"tools": [Object()]},
    "opaque object as stop": {"stop": Object()},
    "opaque object as stream": {"stream": Object()},
    "opaque object as body": {"extra_body": Object()},
    "opaque object as model": {"model": Object()},
}


@pytest.mark.parametrize("name", ODD_ARGUMENTS)
def test_object_that_raises_behaves_as_without_instrumentation(
    comparison: Comparison, name: str
) -> None:
    comparison(lambda: ODD_ARGUMENTS[name])


def test_error_of_a_generator_is_raised_unchanged(comparison: Comparison) -> None:
    outcome = comparison(lambda: {"messages": generator_that_raises()})
    assert outcome.error == (UnreadableError, repr(ValueError))


def test_unreadable_part_does_not_lose_other_parts(comparison: Comparison) -> None:
    comparison(
        lambda: {
            "model": Str("deepseek-flash"),
            "messages": [*QUESTION, Dict(QUESTION[0])],
            "tools": [Dict(TOOL), TOOL],
            "response_format": Dict(type="text"),
            "seed": 7,
        }
    )

    assert comparison.telemetry.span.name == "chat deepseek-flash"
    assert comparison.telemetry.span.attributes["gen_ai.request.seed"] == 7
    question, placeholder = comparison.content("input.messages")
    assert question["parts"] == [{"type": "text", "content": QUESTION[0]["content"]}]
    assert placeholder["parts"] == [{"type": "text", "content": "[unreadable]"}]
    placeholder, tool = comparison.content("tool.definitions")
    assert placeholder == {"type": "function", "name": "[unreadable]"}
    assert tool["name"] == TOOL["function"]["name"]


def test_enum_model_is_recorded_as_it_is_sent(comparison: Comparison) -> None:
    ((body, _),) = comparison(lambda: {"model": Model.FLASH}).requests

    assert json.loads(body)["model"] == "deepseek-flash"
    assert comparison.telemetry.span.name == "chat deepseek-flash"
    model = comparison.telemetry.span.attributes["gen_ai.request.model"]
    assert type(model) is str
