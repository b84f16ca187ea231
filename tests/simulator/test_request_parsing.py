"""Bodies that cannot be read: what is said, and where in the body it stands."""

from __future__ import annotations

import pytest

from tests.simulator.http_requests import UNREAD, ask


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "missing field `messages` at line 1 column 2"),
        (
            b'{"messages": [{"role": "developer", "content": "x"}]}',
            (
                "messages[0].role: unknown variant `developer`, expected one of"
                " `system`, `user`, `assistant`, `tool`, `latest_reminder` at line 1"
                " column 34"
            ),
        ),
        (
            b'{\n  "temperature": "hot",\n  "messages": []\n}',
            'temperature: invalid type: string "hot", expected f32 at line 2 column 22',
        ),
        (
            '{"x": "é", "stream": 1}'.encode(),
            "stream: invalid type: integer `1`, expected a boolean at line 1 column 23",
        ),
    ],
)
def test_a_wrong_type_is_placed_by_line_and_byte(deepseek, body, message):
    answer = ask(deepseek.base_url, body=body)
    assert (answer.status, answer.message) == (400, UNREAD + message)


def test_thinking_that_is_no_object_is_the_one_422(deepseek):
    answer = ask(deepseek.base_url, body=b'{"thinking": true}')
    assert (answer.status, answer.message) == (
        422,
        (
            f"{UNREAD}thinking: invalid type: boolean `true`, expected struct"
            " ThinkingOptions at line 1 column 17"
        ),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1",
        b"hello",
        b'{"a" 1}',
        b"{'a': 1}",
        b"{} x",
        b'"abc',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_json_is_a_plain_400(deepseek, body):
    answer = ask(deepseek.base_url, body=body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.body.startswith(b"Failed to parse the request body as JSON: ")
    assert b" at line 1 column " in answer.body


@pytest.mark.parametrize("body", [b"", b"{", b"hello", b"{} x"])
def test_a_syntax_error_has_serdes_words(recipe, deepseek, body):
    with pytest.raises(ValueError, match="invalid JSON request: ") as error:
        recipe.ChatCompletionRequest(body)
    expected = str(error.value).removeprefix("invalid JSON request: ")
    said = ask(deepseek.base_url, body=body).body.decode()
    assert said == f"Failed to parse the request body as JSON: {expected}"
