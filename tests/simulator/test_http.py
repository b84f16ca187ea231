"""HTTP: headers, content types, routes, error bodies, connections."""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest

from examples.simulator import Simulator
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    WEATHER_TOOL,
    send_chat,
    send_request,
)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("json_200", {"thinking": THINKING_DISABLED}),
        ("sse_200", {"stream": True}),
        ("error_serde_or_auth", {"messages": 3}),
        ("error_400_validation", {"temperature": 3}),
        ("error_401_missing_header", None),
    ],
)
def test_response_headers_equal_sample(simulator, samples, kind, fields):
    if fields is None:
        response = send_request(simulator.base_url, body={}, authorization=None)
    else:
        response = send_request(
            simulator.base_url,
            body={"model": "deepseek-flash", "messages": [GREETING], **fields},
        )
    recorded = json.loads((samples / "headers.json").read_bytes())[kind]
    varying_headers = ("date", "x-ds-trace-id", "content-length")
    headers = {k: v for k, v in response.headers.items() if k not in varying_headers}
    assert headers == {k: v for k, v in recorded.items() if k not in varying_headers}
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-ds-trace-id"])


def test_each_response_has_unique_ids(simulator):
    responses = [send_chat(simulator.base_url) for _ in range(2)]
    assert len({response.headers["x-ds-trace-id"] for response in responses}) == 2
    assert [e.trace_id for e in simulator.exchanges] == [
        response.headers["x-ds-trace-id"] for response in responses
    ]
    ids = {response.json["id"] for response in responses}
    assert len(ids) == 2
    assert all(
        re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", i) for i in ids
    )


@pytest.mark.parametrize("base", ["", "/v1", "/beta"])
def test_chat_is_available_under_all_base_paths(simulator, base):
    assert send_chat(simulator.base_url + base).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/embeddings", 404),
        ("POST", "/v1/images/generations", 404),
        ("GET", "/", 404),
        ("GET", "/models/gpt-4o", 404),
        ("GET", "/chat/completions", 405),
        ("PUT", "/v1/chat/completions", 405),
        ("DELETE", "/models", 405),
        ("OPTIONS", "/models", 405),
    ],
)
def test_unknown_route_or_method_gets_empty_body(simulator, method, path, status):
    response = send_request(simulator.base_url, path, method=method)
    assert (response.status, response.body) == (status, b"")
    assert "content-type" not in response.headers


@pytest.mark.parametrize(
    ("headers", "path", "sample"),
    [
        ({"authorization": None}, "/chat/completions", "error_401_missing_header.txt"),
        ({"authorization": "Bearer "}, "/models", "error_401_missing_header.txt"),
        ({"content_type": "text/plain"}, "/chat/completions", "error_415.txt"),
        ({}, "/completions", "error_400_fim_not_beta.txt"),
        ({}, "/v1/completions", "error_400_fim_not_beta.txt"),
    ],
)
def test_plain_text_errors_equal_samples(simulator, samples, headers, path, sample):
    method = "GET" if path == "/models" else "POST"
    body = None if path == "/models" else {"model": "deepseek-flash"}
    response = send_request(simulator.base_url, path, body, method=method, **headers)
    assert response.status == int(sample[6:9])
    assert response.body == (samples / sample).read_bytes().rstrip(b"\n")


def test_empty_body_error_equals_sample(simulator, samples):
    response = send_request(simulator.base_url, body=b"")
    assert response.body == (samples / "error_400_no_body.txt").read_bytes().rstrip(
        b"\n"
    )


def test_invalid_key_error_shows_last_four_characters(samples):
    with Simulator(api_key="sk-right") as simulator:
        error = send_request(
            simulator.base_url, body={}, authorization="Bearer sk-wrong-0000"
        )
        success = _send_with_key(simulator, "Bearer sk-right")
    recorded = json.loads((samples / "error_401_bad_key.json").read_bytes())
    request_id = re.compile(r"request_id: [-0-9a-f]{36}")
    assert (error.status, request_id.sub("", error.body.decode())) == (
        401,
        request_id.sub("", json.dumps(recorded, separators=(",", ":"))),
    )
    assert success.status == 200


def _send_with_key(simulator, authorization):
    body = {"model": "deepseek-flash", "messages": [GREETING]}
    return send_request(simulator.base_url, body=body, authorization=authorization)


@pytest.mark.parametrize(
    "sample",
    [
        "error_400_serde.json",
        "error_400_temperature.json",
        "error_400_model.json",
        "error_400_reasoning_passback.json",
        "error_400_tool_choice_thinking.json",
        "error_400_json_schema.json",
    ],
)
def test_validation_errors_equal_samples(simulator, samples, sample):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    assistant_message = {"role": "assistant", "content": "", "tool_calls": [call]}
    tool_message = {"role": "tool", "tool_call_id": "c", "content": ""}
    body = {"model": "deepseek-flash", "messages": [GREETING]} | {
        "error_400_serde.json": {"messages": None},
        "error_400_temperature.json": {"temperature": 3},
        "error_400_model.json": {"model": "gpt-4o"},
        "error_400_reasoning_passback.json": {
            "messages": [GREETING, assistant_message, tool_message]
        },
        "error_400_tool_choice_thinking.json": {
            "tools": [WEATHER_TOOL],
            "tool_choice": "required",
        },
        "error_400_json_schema.json": {
            "response_format": {"type": "json_schema", "json_schema": {}}
        },
    }[sample]
    response = send_request(simulator.base_url, body={} if "serde" in sample else body)
    request_id = re.compile(rb"request_id: [-0-9a-f]{36}")
    recorded = (samples / sample).read_bytes().rstrip()
    assert (response.status, request_id.sub(b"", response.body)) == (
        400,
        request_id.sub(b"", recorded),
    )


def test_connection_is_reused_for_many_requests(simulator):
    url = urlsplit(simulator.base_url)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    try:
        for body in (
            {"thinking": THINKING_DISABLED},
            {"stream": True},
            {"temperature": 9},
        ) * 2:
            full_body = {"model": "deepseek-flash", "messages": [GREETING], **body}
            connection.request(
                "POST", "/chat/completions", json.dumps(full_body), headers
            )
            socket = connection.sock
            connection.getresponse().read()
            assert connection.sock is socket is not None
    finally:
        connection.close()


def test_chunked_request_is_read(simulator):
    url = urlsplit(simulator.base_url)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    body = json.dumps({"model": "deepseek-flash", "messages": [GREETING]}).encode()
    try:
        parts = iter([body[:7], body[7:]])
        connection.request("POST", "/chat/completions", parts, headers)
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    assert simulator.exchanges[-1].request_body == body
