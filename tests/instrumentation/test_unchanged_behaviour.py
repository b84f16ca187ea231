"""Whatever the caller passes: the call returns, raises and sends what it does without
us, and its span ends."""

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

    from .comparing import Compared

# Parts that cannot be read are told; what else is logged, and what is lost besides,
# the tests look for.
pytestmark = pytest.mark.internal_error

TOOL = json.loads((SAMPLES / "request_thinking_tool_turn2.json").read_bytes())["tools"][
    0
]
CALLED = {
    "id": "1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}


@pytest.fixture(autouse=True)
def _answers(deepseek: Simulator) -> None:
    deepseek.answer_next(sample("chat_plain.json"), times=2)


ONCE: dict[str, Callable[[], dict[str, Any]]] = {
    "messages": lambda: {"messages": (m for m in QUESTION)},
    "a map": lambda: {"messages": map(dict, QUESTION)},
    "a view": lambda: {"messages": dict(enumerate(QUESTION)).values()},
    "tools": lambda: {"tools": iter([TOOL])},
    "parts of a content": lambda: {
        "messages": [
            {"role": "user", "content": iter([{"type": "text", "text": "Hi"}])}
        ]
    },
    "called tools": lambda: {
        "messages": [{"role": "assistant", "tool_calls": iter([CALLED])}]
    },
}


@pytest.mark.parametrize("name", ONCE)
def test_what_can_be_read_once_arrives_whole(compared: Compared, name: str) -> None:
    ((body, _),) = compared(ONCE[name]).sent

    whole = json.loads(json.dumps(ONCE[name](), default=list))
    assert whole.items() <= json.loads(body).items()


class Unreadable(Exception):  # noqa: N818  # what it says of the thing that raises it
    def __str__(self) -> str:
        raise ValueError("not even its words can be read")


def raising(*names: str) -> dict[str, Any]:
    def raises(*_: Any, **__: Any) -> Any:
        raise Unreadable

    return dict.fromkeys(names, raises)


Dict: Any = type("Dict", (dict,), raising("get"))
User: Any = type("User", (UserDict,), raising("get"))
List: Any = type("List", (list,), raising("__iter__", "__len__", "__bool__", "__eq__"))
Str: Any = type(
    "Str",
    (str,),
    raising("__str__", "__format__", "__repr__", "__len__", "isascii", "encode"),
)
Int: Any = type(
    "Int", (int,), raising("__eq__", "__lt__", "__le__", "__ge__") | {"__hash__": None}
)
Float: Any = type("Float", (float,), raising("__eq__", "__float__", "__str__"))
Object: Any = type(
    "Object",
    (),
    raising("__getattr__", "__str__", "__repr__", "__eq__", "__bool__", "__len__")
    | {"__hash__": None},
)
Iterates: Any = type("Iterates", (), raising("__iter__"))


class Model(str, Enum):
    FLASH = "deepseek-flash"


def generator_that_raises() -> Any:
    yield QUESTION[0]
    raise Unreadable


ODD: dict[str, dict[str, Any]] = {
    "a message whose get raises": {"messages": [*QUESTION, Dict(QUESTION[0])]},
    "a mapping whose get raises": {"messages": [User(QUESTION[0])]},
    "a part whose get raises": {
        "messages": [{"role": "user", "content": [Dict(type="text", text="Hi")]}]
    },
    "a tool whose get raises": {"tools": [Dict(TOOL)]},
    "a format whose get raises": {"response_format": Dict(type="text")},
    "a body whose get raises": {
        "extra_body": Dict(thinking=Dict(type="enabled")),
        "temperature": 0.5,
    },
    "words whose str raises": {"messages": [{"role": "user", "content": Str("Hi")}]},
    "a model whose str raises": {"model": Str("deepseek-flash")},
    "an effort whose str raises": {"reasoning_effort": Str("high")},
    "a model of an enum": {"model": Model.FLASH},
    "a number whose comparison raises": {"n": Int(1), "seed": Int(7), "top_p": 0.5},
    "a real number whose float raises": {"temperature": Float(0.5)},
    "a list whose iter raises": {"stop": List(["END"]), "seed": 7},
    "messages whose iter raises": {"messages": List(QUESTION)},
    "messages that raise half way": {"messages": Iterates()},
    "messages of no kind": {"messages": Object()},
    "a message of no kind": {"messages": [*QUESTION, Object()]},
    "a tool of no kind": {"tools": [Object()]},
    "a stop of no kind": {"stop": Object()},
    "a stream of no kind": {"stream": Object()},
    "a body of no kind": {"extra_body": Object()},
    "a model of no kind": {"model": Object()},
}


@pytest.mark.parametrize("name", ODD)
def test_what_raises_when_it_is_looked_at_is_the_callers(
    compared: Compared, name: str
) -> None:
    compared(lambda: ODD[name])


def test_what_a_generator_raises_is_the_callers(compared: Compared) -> None:
    outcome = compared(lambda: {"messages": generator_that_raises()})
    assert outcome.raised == (Unreadable, repr(ValueError))


def test_a_part_that_cannot_be_read_costs_no_other(compared: Compared) -> None:
    compared(
        lambda: {
            "model": Str("deepseek-flash"),
            "messages": [*QUESTION, Dict(QUESTION[0])],
            "tools": [Dict(TOOL), TOOL],
            "response_format": Dict(type="text"),
            "seed": 7,
        }
    )

    assert compared.telemetry.span.name == "chat deepseek-flash"
    assert compared.telemetry.span.attributes["gen_ai.request.seed"] == 7
    question, unread = compared.content("input.messages")
    assert question["parts"] == [{"type": "text", "content": QUESTION[0]["content"]}]
    assert unread["parts"] == [{"type": "text", "content": "[unreadable]"}]
    unread, tool = compared.content("tool.definitions")
    assert unread == {"type": "function", "name": "[unreadable]"}
    assert tool["name"] == TOOL["function"]["name"]


def test_a_model_of_an_enum_is_named_as_it_is_sent(compared: Compared) -> None:
    ((body, _),) = compared(lambda: {"model": Model.FLASH}).sent

    assert json.loads(body)["model"] == "deepseek-flash"
    assert compared.telemetry.span.name == "chat deepseek-flash"
    model = compared.telemetry.span.attributes["gen_ai.request.model"]
    assert type(model) is str
