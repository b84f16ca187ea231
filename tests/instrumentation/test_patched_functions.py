"""A patched function can be pickled, copied and inspected as it can be without."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import typing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI
from openai.resources.chat.completions import AsyncCompletions, Completions

if TYPE_CHECKING:
    from collections.abc import Callable

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda function: pickle.loads(pickle.dumps(function)),
    "pickle of a partial": lambda function: (
        pickle.loads(pickle.dumps(partial(function))).func
    ),
    "copy": copy.copy,
    "deepcopy": lambda function: copy.deepcopy({"function": function})["function"],
}


@pytest.mark.parametrize("name", COPIES)
def test_copy_of_a_function_of_a_class_is_this_function(
    instrument: Callable[..., None], name: str
) -> None:
    instrument()
    function = COPIES[name](Completions.create)
    assert function == Completions.create
    assert type(function) is type(Completions.create)  # it is patched, too


@pytest.mark.parametrize("name", COPIES)
def test_copy_of_a_method_is_a_method_of_the_copied_object(
    instrument: Callable[..., None], name: str
) -> None:
    resource = Completions.__new__(Completions)  # a client has locks
    expected = COPIES[name](resource.create)
    instrument()
    method = COPIES[name](resource.create)
    assert method.__func__ is expected.__func__
    assert (method.__self__ is resource) == (expected.__self__ is resource)
    assert type(method) is type(resource.create)


def test_method_of_a_client_cannot_be_pickled(instrument: Callable[..., None]) -> None:
    instrument()
    with OpenAI(api_key="sk-1234") as client, pytest.raises(TypeError, match="RLock"):
        pickle.dumps(client.chat.completions.create)


def test_process_without_this_package_unpickles_a_function(
    instrument: Callable[..., None],
) -> None:
    instrument()
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer).__qualname__)"
    output = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(Completions.create),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout
    assert output.decode().strip() == "Completions.create"


def facts(function: Any) -> dict[str, Any]:
    return {
        "coroutine function": inspect.iscoroutinefunction(function),
        "function": inspect.isfunction(function),
        "signature": inspect.signature(function).parameters.keys(),
        "names": (function.__module__, function.__qualname__, function.__doc__),
        "types": typing.get_type_hints(function),
        "source": inspect.getsource(function),
    }


@pytest.mark.parametrize("owner", [Completions, AsyncCompletions])
def test_function_is_inspected_as_before(
    instrument: Callable[..., None], owner: Any
) -> None:
    before = facts(owner.create)
    instrument()
    assert facts(owner.create) == before
