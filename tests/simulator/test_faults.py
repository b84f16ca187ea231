"""Faults: by request header, by `fail_next` and for the whole server."""

from __future__ import annotations

import json
import time

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI

from examples.simulator import Fault, Simulator
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    send_chat,
    send_request,
)

_SDK_EXCEPTIONS = {
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
        model="deepseek-flash", messages=[GREETING], **kwargs
    )


def _fault_header(fault):
    return {"extra_headers": {"X-Simulator-Fault": fault}}


@pytest.mark.parametrize("status", _SDK_EXCEPTIONS)
def test_error_raises_sdk_exception_for_its_status(client, status):
    client = client.with_options(max_retries=0)
    with pytest.raises(_SDK_EXCEPTIONS[status]) as error:
        _create(client, **_fault_header(str(status)))
    assert error.value.status_code == status
    assert error.value.response.headers["x-ds-trace-id"]
    assert "x-request-id" not in error.value.response.headers
    assert "retry-after" not in error.value.response.headers


@pytest.mark.parametrize("status", _SAMPLES)
def test_error_equals_sample(simulator, samples, status):
    response = send_request(simulator.base_url, body={}, x_simulator_fault=str(status))
    recorded = (samples / _SAMPLES[status]).read_bytes().rstrip()
    assert (response.status, response.body) == (status, recorded)
    assert response.headers["content-type"] == "application/json"


def test_401_shows_end_of_key(simulator):
    response = send_request(simulator.base_url, body={}, x_simulator_fault="401")
    assert response.message.startswith(
        "Authentication Fails, Your api key: ****1234 is invalid (request_id: "
    )


def test_400_is_content_risk(simulator, samples):
    response = send_request(simulator.base_url, body={}, x_simulator_fault="400")
    recorded = (samples / "error_400_content_risk.json").read_bytes().rstrip()
    assert (response.status, response.body) == (400, recorded)


def test_sdk_retries_succeed_after_fault_with_two_times(simulator, client):
    assert _create(client, **_fault_header("503 times=2")).choices
    assert [e.status for e in simulator.exchanges] == [503, 503, 200]


def test_fault_count_restarts_after_success(simulator):
    body = {"model": "deepseek-flash", "messages": [GREETING]}
    statuses = [
        send_request(
            simulator.base_url, body=body, x_simulator_fault="503 times=1"
        ).status
        for _ in range(4)
    ]
    assert statuses == [503, 200, 503, 200]


def test_fault_without_times_exhausts_sdk_retries(simulator, client):
    with pytest.raises(openai.RateLimitError):
        _create(client, **_fault_header("429"))
    assert [e.status for e in simulator.exchanges] == [429] * 3


def test_fail_next_applies_to_next_requests(simulator, client):
    client = client.with_options(max_retries=0)
    simulator.fail_next("503")
    simulator.fail_next("500", times=2)
    simulator.fail_next("429 times=1")
    for _ in range(4):
        with pytest.raises(openai.APIStatusError):
            _create(client)
    assert _create(client).choices
    assert [e.status for e in simulator.exchanges] == [503, 500, 500, 429, 200]


def test_faults_of_simulator_apply_to_every_request():
    with Simulator(faults=["500 times=1", "503"]) as simulator:
        statuses = [send_chat(simulator.base_url).status for _ in range(4)]
        simulator.fail_next("402")
        statuses.append(send_chat(simulator.base_url).status)
        statuses.append(
            send_request(simulator.base_url, "/models", method="GET").status
        )
    assert statuses == [500, 503, 503, 503, 402, 503]


@pytest.mark.parametrize(
    "thinking", [{}, {"thinking": THINKING_DISABLED}], ids=["on", "off"]
)
def test_cut_stream_ends_without_finish_reason_usage_and_done(
    simulator, client, thinking
):
    stream = _create(client, stream=True, extra_body=thinking, **_fault_header("cut"))
    chunks = list(stream)
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == "Hello! How can"
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)
    assert simulator.exchanges[-1].usage is None
    assert b"[DONE]" not in simulator.exchanges[-1].response_body
    assert not simulator.exchanges[-1].is_complete


def test_cut_happens_after_given_number_of_chunks(simulator):
    for count in (0, 1, 5):
        simulator.fail_next(f"cut after={count}")
        assert len(send_chat(simulator.base_url, stream=True).events) == 1 + count


def test_cut_after_more_chunks_than_exist_omits_last_event(simulator):
    simulator.fail_next("cut after=10000")
    events = send_chat(simulator.base_url, stream=True).events
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in events)
    assert all(event["choices"][0]["finish_reason"] is None for event in events)


def test_dropped_stream_raises_connection_error(simulator, client):
    stream = _create(client, stream=True, **_fault_header("drop after=2"))
    assert [next(stream).choices[0].finish_reason for _ in range(3)] == [None] * 3
    # openai 3 raises an APIConnectionError, openai 2 the exception of httpx.
    with pytest.raises(Exception, match=r"Connection error|peer closed connection"):
        next(stream)
    assert simulator.exchanges[-1].is_complete is False


def test_error_event_within_stream_raises_api_error(simulator, client, samples):
    with pytest.raises(openai.APIError) as error:
        list(_create(client, stream=True, **_fault_header("error")))
    assert not isinstance(error.value, openai.APIStatusError)
    assert error.value.message == "Content Exists Risk"
    assert simulator.exchanges[-1].status == 200
    recorded = (samples / "stream_error_midstream.sse").read_bytes().rstrip()
    last = simulator.exchanges[-1].response_body.rstrip().rpartition(b"\n\n")[2]
    assert last == recorded.rpartition(b"\n\n")[2]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("cut", json.JSONDecodeError),
        ("drop", openai.APIConnectionError),
        ("error", openai.BadRequestError),
    ],
)
def test_non_streaming_response_can_be_interrupted(client, fault, error):
    client = client.with_options(max_retries=0)
    with pytest.raises(error):
        _create(client, **_fault_header(fault))


@pytest.mark.parametrize(
    "reason", ["insufficient_system_resource", "content_filter", "aborted"]
)
@pytest.mark.parametrize("stream", [True, False])
def test_finish_fault_sets_finish_reason(simulator, reason, stream):
    simulator.fail_next(f"finish={reason}")
    response = send_chat(simulator.base_url, stream=stream, thinking=THINKING_DISABLED)
    choice = (response.events[-1] if stream else response.json)["choices"][0]
    assert choice["finish_reason"] == reason
    usage = simulator.exchanges[-1].usage
    assert usage["completion_tokens"] == 4
    if not stream:
        assert choice["message"]["content"] == "Hello! How can"


def test_slow_stream_sends_keep_alive_comments(simulator):
    start = time.monotonic()
    simulator.fail_next("slow=0.3")
    body = send_chat(simulator.base_url, stream=True).body
    assert time.monotonic() - start >= 0.3
    assert body.startswith(b": keep-alive\n\n: keep-alive\n\ndata: {")
    assert body.count(b": keep-alive") == 2


def test_slow_non_streaming_response_sends_blank_lines(simulator, client):
    response = send_chat(simulator.base_url)
    simulator.fail_next("slow=0.3", times=2)
    slow_response = send_chat(simulator.base_url)
    assert slow_response.body.startswith(b"\n\n{")
    assert slow_response.headers["content-type"] == response.headers["content-type"]
    assert _create(client).choices[0].message.content


def test_slow_can_be_combined_with_status(client):
    client = client.with_options(timeout=0.1, max_retries=0)
    with pytest.raises(openai.APITimeoutError):
        _create(client, **_fault_header("slow=0.5 503"))


def test_unknown_term_in_fault_header_is_named(simulator):
    response = send_request(simulator.base_url, body={}, x_simulator_fault="slwo=3")
    assert response.status == 400
    assert response.body.startswith(b"x-simulator-fault: 'slwo=3' is not a fault\n")


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
def test_invalid_fault_raises_value_error(text):
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
def test_order_of_fault_terms_does_not_matter(
    fault_term, delay, after_chunks, times, random
):
    terms = [fault_term, f"slow={delay}", f"after={after_chunks}", f"times={times}"]
    random.shuffle(terms)
    fault = Fault.parse(" ".join(terms))
    assert (fault.delay, fault.after_chunks, fault.times) == (
        delay,
        after_chunks,
        times,
    )
    assert (
        str(fault.status or fault.interruption or f"finish={fault.finish_reason}")
        == fault_term
    )


def test_fault_header_does_not_affect_other_clients(simulator, client):
    with OpenAI(base_url=simulator.base_url, api_key="other") as other_client:
        client = client.with_options(max_retries=0)
        with pytest.raises(openai.InternalServerError):
            _create(client, **_fault_header("503 times=1"))
        assert _create(other_client).choices
        assert _create(client, **_fault_header("503 times=1")).choices
