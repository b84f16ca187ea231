"""The bytes: headers, content types, routes, refusals, connections."""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest

from examples.simulator import Simulator
from tests.simulator.http_requests import HI, OFF, WEATHER, ask, chat


@pytest.mark.parametrize(
    ("kind", "request_"),
    [
        ("json_200", {"thinking": OFF}),
        ("sse_200", {"stream": True}),
        ("error_serde_or_auth", {"messages": 3}),
        ("error_400_validation", {"temperature": 3}),
        ("error_401_missing_header", None),
    ],
)
def test_headers_are_those_of_the_sample(deepseek, samples, kind, request_):
    if request_ is None:
        answer = ask(deepseek.base_url, body={}, authorization=None)
    else:
        answer = ask(
            deepseek.base_url,
            body={"model": "deepseek-flash", "messages": [HI], **request_},
        )
    recorded = json.loads((samples / "headers.json").read_bytes())[kind]
    changing = ("date", "x-ds-trace-id", "content-length")
    said = {k: v for k, v in answer.headers.items() if k not in changing}
    assert said == {k: v for k, v in recorded.items() if k not in changing}
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-ds-trace-id"])


def test_each_answer_has_its_own_ids(deepseek):
    answers = [chat(deepseek.base_url) for _ in range(2)]
    assert len({answer.headers["x-ds-trace-id"] for answer in answers}) == 2
    assert [e.trace_id for e in deepseek.exchanges] == [
        answer.headers["x-ds-trace-id"] for answer in answers
    ]
    ids = {answer.json["id"] for answer in answers}
    assert len(ids) == 2
    assert all(
        re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", i) for i in ids
    )


@pytest.mark.parametrize("base", ["", "/v1", "/beta"])
def test_chat_is_on_all_bases(deepseek, base):
    assert chat(deepseek.base_url + base).status == 200


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
def test_what_is_not_there_is_answered_with_nothing(deepseek, method, path, status):
    answer = ask(deepseek.base_url, path, method=method)
    assert (answer.status, answer.body) == (status, b"")
    assert "content-type" not in answer.headers


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
def test_plain_errors_are_the_samples(deepseek, samples, headers, path, sample):
    method = "GET" if path == "/models" else "POST"
    body = None if path == "/models" else {"model": "deepseek-flash"}
    answer = ask(deepseek.base_url, path, body, method=method, **headers)
    assert answer.status == int(sample[6:9])
    assert answer.body == (samples / sample).read_bytes().rstrip(b"\n")


def test_an_empty_body_is_the_sample(deepseek, samples):
    answer = ask(deepseek.base_url, body=b"")
    assert answer.body == (samples / "error_400_no_body.txt").read_bytes().rstrip(b"\n")


def test_a_wrong_key_is_told_by_its_last_four_letters(samples):
    with Simulator(api_key="sk-right") as deepseek:
        wrong = ask(deepseek.base_url, body={}, authorization="Bearer sk-wrong-0000")
        right = chat_with(deepseek, "Bearer sk-right")
    recorded = json.loads((samples / "error_401_bad_key.json").read_bytes())
    same = re.compile(r"request_id: [-0-9a-f]{36}")
    assert (wrong.status, same.sub("", wrong.body.decode())) == (
        401,
        same.sub("", json.dumps(recorded, separators=(",", ":"))),
    )
    assert right.status == 200


def chat_with(deepseek, authorization):
    body = {"model": "deepseek-flash", "messages": [HI]}
    return ask(deepseek.base_url, body=body, authorization=authorization)


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
def test_refusals_are_the_samples(deepseek, samples, sample):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c", "content": ""}
    body = {"model": "deepseek-flash", "messages": [HI]} | {
        "error_400_serde.json": {"messages": None},
        "error_400_temperature.json": {"temperature": 3},
        "error_400_model.json": {"model": "gpt-4o"},
        "error_400_reasoning_passback.json": {"messages": [HI, turn, result]},
        "error_400_tool_choice_thinking.json": {
            "tools": [WEATHER],
            "tool_choice": "required",
        },
        "error_400_json_schema.json": {
            "response_format": {"type": "json_schema", "json_schema": {}}
        },
    }[sample]
    answer = ask(deepseek.base_url, body={} if "serde" in sample else body)
    unique = re.compile(rb"request_id: [-0-9a-f]{36}")
    recorded = (samples / sample).read_bytes().rstrip()
    assert (answer.status, unique.sub(b"", answer.body)) == (
        400,
        unique.sub(b"", recorded),
    )


def test_one_connection_serves_many_requests(deepseek):
    url = urlsplit(deepseek.base_url)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    try:
        for body in ({"thinking": OFF}, {"stream": True}, {"temperature": 9}) * 2:
            whole = {"model": "deepseek-flash", "messages": [HI], **body}
            connection.request("POST", "/chat/completions", json.dumps(whole), headers)
            first = connection.sock
            connection.getresponse().read()
            assert connection.sock is first is not None
    finally:
        connection.close()


def test_a_chunked_request_is_read(deepseek):
    url = urlsplit(deepseek.base_url)
    connection = http.client.HTTPConnection(url.hostname, url.port)
    headers = {"authorization": "Bearer x", "content-type": "application/json"}
    body = json.dumps({"model": "deepseek-flash", "messages": [HI]}).encode()
    try:
        pieces = iter([body[:7], body[7:]])
        connection.request("POST", "/chat/completions", pieces, headers)
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    assert deepseek.exchanges[-1].body == body
