"""Bodies that cannot be parsed: the error message and its position."""

from __future__ import annotations

import pytest

from tests.simulator.http_requests import TYPE_ERROR, send_request


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
def test_wrong_type_is_located_by_line_and_byte_column(simulator, body, message):
    response = send_request(simulator.base_url, body=body)
    assert (response.status, response.message) == (400, TYPE_ERROR + message)


def test_thinking_that_is_not_an_object_gets_422(simulator):
    response = send_request(simulator.base_url, body=b'{"thinking": true}')
    assert (response.status, response.message) == (
        422,
        (
            f"{TYPE_ERROR}thinking: invalid type: boolean `true`, expected struct"
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
def test_invalid_json_gets_plain_text_400(simulator, body):
    response = send_request(simulator.base_url, body=body)
    assert response.status == 400
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.body.startswith(b"Failed to parse the request body as JSON: ")
    assert b" at line 1 column " in response.body


@pytest.mark.parametrize("body", [b"", b"{", b"hello", b"{} x"])
def test_syntax_error_message_equals_serde_message(deepseek_recipe, simulator, body):
    with pytest.raises(ValueError, match="invalid JSON request: ") as error:
        deepseek_recipe.ChatCompletionRequest(body)
    expected = str(error.value).removeprefix("invalid JSON request: ")
    message = send_request(simulator.base_url, body=body).body.decode()
    assert message == f"Failed to parse the request body as JSON: {expected}"
