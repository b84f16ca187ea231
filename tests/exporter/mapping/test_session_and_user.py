"""The session and the user of a trace, from several attributes."""

from __future__ import annotations

import pytest

from opentelemetry.exporter.mlflow import mlflow_attributes


@pytest.mark.parametrize("name", ["session.id", "gen_ai.conversation.id"])
def test_session_becomes_a_string(name):
    assert mlflow_attributes({name: 42})["session.id"] == "42"


def test_session_id_takes_precedence_over_conversation_id():
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
def test_user_comes_from_the_first_of_three_attributes(attributes, user):
    assert mlflow_attributes(attributes)["user.id"] == user
