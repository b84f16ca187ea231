"""Faults on demand: by header, by queue, for the whole server."""

from __future__ import annotations

import json
import time

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI

from examples.simulator import Fault, Simulator
from tests.simulator.http_requests import HI, OFF, ask, chat

_ERRORS = {
    401: openai.AuthenticationError,
    402: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}
_SAMPLES = {
    402: "error_402.json",
    422: "error_422_composed.json",
    429: "error_429_concurrency.json",
    500: "error_500_composed.json",
    503: "error_503.json",
}


def _create(client, **kwargs):
    return client.chat.completions.create(
        model="deepseek-flash", messages=[HI], **kwargs
    )


def _with(fault):
    return {"extra_headers": {"X-Simulator-Fault": fault}}


@pytest.mark.parametrize("status", _ERRORS)
def test_an_error_is_the_sdk_error_of_its_status(client, status):
    client = client.with_options(max_retries=0)
    with pytest.raises(_ERRORS[status]) as error:
        _create(client, **_with(str(status)))
    assert error.value.status_code == status
    assert error.value.response.headers["x-ds-trace-id"]
    assert "x-request-id" not in error.value.response.headers
    assert "retry-after" not in error.value.response.headers


@pytest.mark.parametrize("status", _SAMPLES)
def test_an_error_is_the_sample(deepseek, samples, status):
    answer = ask(deepseek.base_url, body={}, x_simulator_fault=str(status))
    recorded = (samples / _SAMPLES[status]).read_bytes().rstrip()
    assert (answer.status, answer.body) == (status, recorded)
    assert answer.headers["content-type"] == "application/json"


def test_a_401_shows_the_end_of_the_key(deepseek):
    answer = ask(deepseek.base_url, body={}, x_simulator_fault="401")
    assert answer.message.startswith(
        "Authentication Fails, Your api key: ****1234 is invalid (request_id: "
    )


def test_a_400_on_demand_is_content_risk(deepseek, samples):
    answer = ask(deepseek.base_url, body={}, x_simulator_fault="400")
    recorded = (samples / "error_400_content_risk.json").read_bytes().rstrip()
    assert (answer.status, answer.body) == (400, recorded)


def test_a_fault_of_two_times_is_survived_by_the_sdk_retries(deepseek, client):
    assert _create(client, **_with("503 times=2")).choices
    assert [e.status for e in deepseek.exchanges] == [503, 503, 200]


def test_a_count_starts_over_once_there_was_an_answer(deepseek):
    body = {"model": "deepseek-flash", "messages": [HI]}
    said = [
        ask(deepseek.base_url, body=body, x_simulator_fault="503 times=1").status
        for _ in range(4)
    ]
    assert said == [503, 200, 503, 200]


def test_a_fault_can_outlast_the_retries(deepseek, client):
    with pytest.raises(openai.RateLimitError):
        _create(client, **_with("429"))
    assert [e.status for e in deepseek.exchanges] == [429] * 3


def test_the_next_requests_can_fail(deepseek, client):
    client = client.with_options(max_retries=0)
    deepseek.fail_next("503")
    deepseek.fail_next("500", times=2)
    deepseek.fail_next("429 times=1")
    for _ in range(4):
        with pytest.raises(openai.APIStatusError):
            _create(client)
    assert _create(client).choices
    assert [e.status for e in deepseek.exchanges] == [503, 500, 500, 429, 200]


def test_a_whole_server_can_fail():
    with Simulator(faults=["500 times=1", "503"]) as deepseek:
        said = [chat(deepseek.base_url).status for _ in range(4)]
        deepseek.fail_next("402")
        said.append(chat(deepseek.base_url).status)
        said.append(ask(deepseek.base_url, "/models", method="GET").status)
    assert said == [500, 503, 503, 503, 402, 503]


@pytest.mark.parametrize("thinking", [{}, {"thinking": OFF}], ids=["on", "off"])
def test_a_cut_stream_ends_in_silence(deepseek, client, thinking):
    stream = _create(client, stream=True, extra_body=thinking, **_with("cut"))
    chunks = list(stream)
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == "Hello! How can"
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)
    assert deepseek.exchanges[-1].usage is None
    assert b"[DONE]" not in deepseek.exchanges[-1].answer
    assert not deepseek.exchanges[-1].finished


def test_a_cut_comes_where_it_is_asked_for(deepseek):
    for after in (0, 1, 5):
        deepseek.fail_next(f"cut after={after}")
        assert len(chat(deepseek.base_url, stream=True).events) == 1 + after


def test_a_cut_comes_before_the_end_however_late_it_is(deepseek):
    deepseek.fail_next("cut after=10000")
    events = chat(deepseek.base_url, stream=True).events
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in events)
    assert all(event["choices"][0]["finish_reason"] is None for event in events)


def test_a_dropped_stream_is_an_error_of_the_connection(deepseek, client):
    stream = _create(client, stream=True, **_with("drop after=2"))
    assert [next(stream).choices[0].finish_reason for _ in range(3)] == [None] * 3
    # openai 3 makes it an APIConnectionError, openai 2 leaves it to httpx.
    with pytest.raises(Exception, match=r"Connection error|peer closed connection"):
        next(stream)
    assert deepseek.exchanges[-1].finished is False


def test_an_error_can_come_in_the_middle_of_a_stream(deepseek, client, samples):
    with pytest.raises(openai.APIError) as error:
        list(_create(client, stream=True, **_with("error")))
    assert not isinstance(error.value, openai.APIStatusError)
    assert error.value.message == "Content Exists Risk"
    assert deepseek.exchanges[-1].status == 200
    recorded = (samples / "stream_error_midstream.sse").read_bytes().rstrip()
    last = deepseek.exchanges[-1].answer.rstrip().rpartition(b"\n\n")[2]
    assert last == recorded.rpartition(b"\n\n")[2]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("cut", json.JSONDecodeError),
        ("drop", openai.APIConnectionError),
        ("error", openai.BadRequestError),
    ],
)
def test_a_whole_answer_can_break_off_too(client, fault, error):
    client = client.with_options(max_retries=0)
    with pytest.raises(error):
        _create(client, **_with(fault))


@pytest.mark.parametrize(
    "reason", ["insufficient_system_resource", "content_filter", "aborted"]
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_can_end_for_another_reason(deepseek, reason, stream):
    deepseek.fail_next(f"finish={reason}")
    answer = chat(deepseek.base_url, stream=stream, thinking=OFF)
    choice = (answer.events[-1] if stream else answer.json)["choices"][0]
    assert choice["finish_reason"] == reason
    usage = deepseek.exchanges[-1].usage
    assert usage["completion_tokens"] == 4
    if not stream:
        assert choice["message"]["content"] == "Hello! How can"


def test_a_slow_stream_has_keep_alives(deepseek):
    begun = time.monotonic()
    deepseek.fail_next("slow=0.3")
    body = chat(deepseek.base_url, stream=True).body
    assert time.monotonic() - begun >= 0.3
    assert body.startswith(b": keep-alive\n\n: keep-alive\n\ndata: {")
    assert body.count(b": keep-alive") == 2


def test_a_slow_answer_has_blank_lines_before_it(deepseek, client):
    answer = chat(deepseek.base_url)
    deepseek.fail_next("slow=0.3", times=2)
    slow = chat(deepseek.base_url)
    assert slow.body.startswith(b"\n\n{")
    assert slow.headers["content-type"] == answer.headers["content-type"]
    assert _create(client).choices[0].message.content


def test_a_slow_answer_can_fail_as_well(client):
    client = client.with_options(timeout=0.1, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        _create(client, **_with("slow=0.5 503"))


def test_a_word_that_is_no_fault_is_told(deepseek):
    answer = ask(deepseek.base_url, body={}, x_simulator_fault="slwo=3")
    assert answer.status == 400
    assert answer.body.startswith(b"x-simulator-fault: 'slwo=3' is not a fault\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "418",
        "times=2",
        "503 cut",
        "cut=3",
        "slow",
        "slow=-1",
        "after=x cut",
        "503,",
    ],
)
def test_no_fault_is_guessed(text):
    with pytest.raises(ValueError, match="fault"):
        Fault.parse(text)
    with pytest.raises(ValueError, match="fault"):
        Simulator(faults=[text])


@given(
    st.sampled_from(["503", "cut", "drop", "error", "finish=aborted"]),
    st.floats(0, 100),
    st.integers(0, 99),
    st.integers(0, 99),
    st.randoms(),
)
def test_the_order_of_words_does_not_matter(what, slow, after, times, random):
    words = [what, f"slow={slow}", f"after={after}", f"times={times}"]
    random.shuffle(words)
    fault = Fault.parse(" ".join(words))
    assert (fault.slow, fault.after, fault.times) == (slow, after, times)
    assert str(fault.status or fault.breaks or f"finish={fault.finish}") == what


def test_other_clients_are_not_hit_by_a_header(deepseek, client):
    with OpenAI(base_url=deepseek.base_url, api_key="other") as other:
        client = client.with_options(max_retries=0)
        with pytest.raises(openai.InternalServerError):
            _create(client, **_with("503 times=1"))
        assert _create(other).choices
        assert _create(client, **_with("503 times=1")).choices
