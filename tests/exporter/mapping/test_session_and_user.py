"""The session and the user of a trace, by their several names."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow import mlflow_attributes


@pytest.mark.parametrize("name", ["session.id", "gen_ai.conversation.id"])
def test_a_session_is_a_text(name):
    assert mlflow_attributes({name: 42})["session.id"] == "42"


def test_the_session_goes_before_the_conversation():
    mapped = mlflow_attributes({"session.id": "s", "gen_ai.conversation.id": "c"})
    assert mapped == {"session.id": "s", "gen_ai.conversation.id": "c"}


@pytest.mark.parametrize(
    ("attributes", "user"),
    [
        ({"enduser.id": "e", "enduser.pseudo.id": "p"}, "e"),
        ({"enduser.pseudo.id": "p"}, "p"),
        ({"user.id": "u", "enduser.id": "e"}, "u"),
        ({"user.id": "", "enduser.id": "e"}, "e"),
    ],
)
def test_the_user_has_three_names(attributes, user):
    assert mlflow_attributes(attributes)["user.id"] == user
