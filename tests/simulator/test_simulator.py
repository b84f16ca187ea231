"""The public API of the simulator: `Simulator`, `RecordedResponse`, `Exchange`."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from openai import OpenAI

from examples.simulator import RecordedResponse, Simulator
from tests.simulator.conftest import SAMPLES
from tests.simulator.http_requests import (
    GREETING,
    THINKING_DISABLED,
    send_chat,
    send_request,
)

_RESPONSE_SAMPLES = [
    path
    for path in sorted(SAMPLES.iterdir())
    if not path.name.startswith(("request_", "headers", "README"))
]


@pytest.mark.parametrize("path", _RESPONSE_SAMPLES, ids=lambda path: path.name)
def test_sample_is_served_byte_for_byte(simulator, path):
    simulator.answer_next(path)
    response = send_chat(simulator.base_url)
    assert response.body == path.read_bytes()
    is_error = path.name.startswith("error_")
    assert response.status == (int(path.name[6:9]) if is_error else 200)
    is_stream = path.suffix == ".sse"
    assert (response.headers.get("transfer-encoding") == "chunked") == is_stream
    assert response.headers["x-ds-trace-id"]
    assert send_chat(simulator.base_url).json["choices"]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("chat_plain.json", "application/json"),
        ("nonstream_keepalive_body.txt", "application/json"),
        ("stream_plain.sse", "text/event-stream; charset=utf-8"),
        ("error_400_temperature.json", "application/octet-stream"),
        ("error_400_serde.json", "application/json"),
        ("error_400_no_body.txt", "text/plain; charset=utf-8"),
        ("error_401_missing_header.txt", None),
        ("error_503.json", "application/json"),
    ],
)
def test_file_name_decides_content_type(simulator, name, content_type):
    simulator.answer_next(SAMPLES / name)
    assert send_chat(simulator.base_url).headers.get("content-type") == content_type


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("chat_plain.json", 14),
        ("stream_plain_include_usage.sse", 14),
        ("stream_usage_separate_chunk_docs_variant.sse", 14),
        ("responses.json", 126),
        ("stream_truncated.sse", None),
        ("error_503.json", None),
    ],
)
def test_usage_of_sample_is_recorded_on_exchange(simulator, name, total):
    simulator.answer_next(SAMPLES / name)
    send_chat(simulator.base_url)
    usage = simulator.exchanges[-1].usage
    assert (usage and usage["total_tokens"]) == total
    assert simulator.exchanges[-1].is_complete


def test_custom_recorded_response_is_served(simulator):
    headers = {"Content-Type": "text/tea", "X-Pot": "1", "Content-Length": "99"}
    recorded = RecordedResponse(418, headers, b"short")
    simulator.answer_next(recorded, times=2)
    for _ in range(2):
        response = send_request(simulator.base_url, "/models", method="GET")
        assert (response.status, response.body) == (418, b"short")
        assert response.headers["content-type"] == "text/tea"
        assert response.headers["x-pot"] == "1"
    assert send_request(simulator.base_url, "/models", method="GET").status == 200


def test_pause_separates_events_of_sample(simulator, client):
    simulator.answer_next(SAMPLES / "stream_plain.sse", pause=0.02)
    # The time starts before the call, because a busy reader gets the first event late.
    start = time.monotonic()
    create = client.chat.completions.create
    chunks = list(create(model="deepseek-flash", messages=[GREETING], stream=True))
    assert time.monotonic() - start >= 0.02 * (len(chunks) - 1)


def test_faults_and_responses_share_one_queue(simulator):
    simulator.fail_next("503")
    simulator.answer_next(SAMPLES / "error_402.json")
    simulator.fail_next("500")
    assert [send_chat(simulator.base_url).status for _ in range(4)] == [
        503,
        402,
        500,
        200,
    ]


def test_exchange_has_request_and_response(simulator, client):
    completion = client.chat.completions.create(
        model="deepseek-flash", messages=[GREETING], extra_body={"user_id": "tenant-42"}
    )
    (exchange,) = simulator.exchanges
    assert (exchange.method, exchange.path) == ("POST", "/chat/completions")
    assert exchange.request_headers["authorization"] == "Bearer sk-of-the-test-1234"
    assert exchange.api_key == "sk-of-the-test-1234"
    assert exchange.request_json == {
        "messages": [GREETING],
        "model": "deepseek-flash",
        "user_id": "tenant-42",
    }
    assert exchange.status == 200
    assert exchange.response_body.startswith(f'{{"id":"{completion.id}"'.encode())
    assert exchange.usage["total_tokens"] == completion.usage.total_tokens
    assert exchange.is_complete


def test_exchange_is_complete_when_client_has_response(simulator, client):
    create = client.chat.completions.create
    for count in range(1, 30):
        *_, last = create(model="deepseek-flash", messages=[GREETING], stream=True)
        exchange = simulator.exchanges[-1]
        assert len(simulator.exchanges) == count
        assert exchange.usage["total_tokens"] == last.usage.total_tokens
        assert exchange.response_body.endswith(b"data: [DONE]\n\n")
        assert exchange.is_complete


def test_exchange_has_body_that_is_not_json(simulator):
    send_request(simulator.base_url, body=b"\xff")
    assert (
        simulator.exchanges[-1].request_body,
        simulator.exchanges[-1].request_json,
    ) == (b"\xff", None)


def test_only_latest_exchanges_are_kept():
    with Simulator(max_exchanges=2) as simulator:
        for path in ("/a", "/b", "/c"):
            send_request(simulator.base_url, path, method="GET")
        assert [exchange.path for exchange in simulator.exchanges] == ["/b", "/c"]


def test_pace_is_time_between_chunks():
    with Simulator(pace=0.01) as simulator:
        start = time.monotonic()
        events = send_chat(
            simulator.base_url, stream=True, thinking=THINKING_DISABLED
        ).events
        stream_end = time.monotonic()
        send_chat(simulator.base_url, thinking=THINKING_DISABLED)
        end = time.monotonic()
    assert stream_end - start >= 0.01 * (len(events) - 1)
    assert end - stream_end >= 0.01 * (len(events) - 2)


def test_client_may_close_stream_early(simulator, client, capfd):
    sample = SAMPLES / "stream_thinking.sse"
    for _ in range(3):
        simulator.answer_next(sample, pause=0.01)
        create = client.chat.completions.create
        with create(model="deepseek-flash", messages=[GREETING], stream=True) as stream:
            next(iter(stream))
    assert send_chat(simulator.base_url).status == 200
    deadline = time.monotonic() + 5
    while threading.active_count() > 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(exchange.is_complete for exchange in simulator.exchanges[:3])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("request_bytes", "response_start"),
    [
        (b"", b""),
        (b"hello\r\n\r\n", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n", b"HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", b"HTTP/1.1 400 "),
        (
            b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
            b"HTTP/1.1 400 ",
        ),
    ],
    ids=["empty", "not_http", "invalid_length", "negative_length", "missing_chunk"],
)
def test_invalid_http_does_not_stop_server(
    simulator, capfd, request_bytes, response_start
):
    url = urlsplit(simulator.base_url)
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.settimeout(5)
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(13) == response_start
    assert send_chat(simulator.base_url).status == 200
    assert capfd.readouterr() == ("", "")


def test_close_interrupts_pending_responses():
    before = threading.active_count()
    with Simulator() as simulator:
        simulator.fail_next("slow=60")
        url = urlsplit(simulator.base_url)
        with OpenAI(base_url=simulator.base_url, api_key="any") as client:
            stream = client.chat.completions.create(
                model="deepseek-flash", messages=[GREETING], stream=True
            )
            start = time.monotonic()
            simulator.close()
            assert time.monotonic() - start < 2
            stream.close()
        assert threading.active_count() == before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((url.hostname, url.port))


def test_simulator_can_be_restarted_and_closed_twice():
    simulator = Simulator()
    for _ in range(2):
        with simulator:
            assert send_chat(simulator.base_url).status == 200
        simulator.close()
    assert len(simulator.exchanges) == 2
    with pytest.raises(RuntimeError, match="not running"):
        _ = simulator.base_url


def test_two_simulators_share_no_state():
    with Simulator() as first, Simulator() as second:
        send_chat(first.base_url)
        send_chat(first.base_url)
        usage = send_chat(second.base_url).json["usage"]
        assert usage["prompt_cache_hit_tokens"] == 0
        assert (len(first.exchanges), len(second.exchanges)) == (2, 1)
