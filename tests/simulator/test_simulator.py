"""The simulator as an object in a program."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
from openai import OpenAI

from examples.simulator import Recorded, Simulator
from tests.simulator.conftest import SAMPLES
from tests.simulator.http_requests import HI, OFF, ask, chat

_ANSWERS = [
    path
    for path in sorted(SAMPLES.iterdir())
    if not path.name.startswith(("request_", "headers", "README"))
]


@pytest.mark.parametrize("path", _ANSWERS, ids=lambda path: path.name)
def test_a_sample_is_served_byte_for_byte(deepseek, path):
    deepseek.answer_next(path)
    answer = chat(deepseek.base_url)
    assert answer.body == path.read_bytes()
    is_error = path.name.startswith("error_")
    assert answer.status == (int(path.name[6:9]) if is_error else 200)
    streams = path.suffix == ".sse"
    assert (answer.headers.get("transfer-encoding") == "chunked") == streams
    assert answer.headers["x-ds-trace-id"]
    assert chat(deepseek.base_url).json["choices"]


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
def test_a_sample_has_the_content_type_of_its_name(deepseek, name, content_type):
    deepseek.answer_next(SAMPLES / name)
    assert chat(deepseek.base_url).headers.get("content-type") == content_type


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
def test_the_usage_of_a_sample_is_known(deepseek, name, total):
    deepseek.answer_next(SAMPLES / name)
    chat(deepseek.base_url)
    usage = deepseek.exchanges[-1].usage
    assert (usage and usage["total_tokens"]) == total
    assert deepseek.exchanges[-1].finished


def test_an_answer_can_be_made_up(deepseek):
    headers = {"Content-Type": "text/tea", "X-Pot": "1", "Content-Length": "99"}
    made_up = Recorded(418, headers, b"short")
    deepseek.answer_next(made_up, times=2)
    for _ in range(2):
        answer = ask(deepseek.base_url, "/models", method="GET")
        assert (answer.status, answer.body) == (418, b"short")
        assert answer.headers["content-type"] == "text/tea"
        assert answer.headers["x-pot"] == "1"
    assert ask(deepseek.base_url, "/models", method="GET").status == 200


def test_the_events_of_a_sample_can_come_slowly(deepseek, client):
    deepseek.answer_next(SAMPLES / "stream_plain.sse", pause=0.02)
    # From before the call: a busy reader gets the first event late.
    began = time.monotonic()
    create = client.chat.completions.create
    chunks = list(create(model="deepseek-flash", messages=[HI], stream=True))
    assert time.monotonic() - began >= 0.02 * (len(chunks) - 1)


def test_faults_and_answers_wait_in_one_line(deepseek):
    deepseek.fail_next("503")
    deepseek.answer_next(SAMPLES / "error_402.json")
    deepseek.fail_next("500")
    assert [chat(deepseek.base_url).status for _ in range(4)] == [503, 402, 500, 200]


def test_an_exchange_holds_what_was_asked_and_answered(deepseek, client):
    completion = client.chat.completions.create(
        model="deepseek-flash", messages=[HI], extra_body={"user_id": "tenant-42"}
    )
    (exchange,) = deepseek.exchanges
    assert (exchange.method, exchange.path) == ("POST", "/chat/completions")
    assert exchange.headers["authorization"] == "Bearer sk-of-the-test-1234"
    assert exchange.key == "sk-of-the-test-1234"
    assert exchange.json == {
        "messages": [HI],
        "model": "deepseek-flash",
        "user_id": "tenant-42",
    }
    assert exchange.status == 200
    assert exchange.answer.startswith(f'{{"id":"{completion.id}"'.encode())
    assert exchange.usage["total_tokens"] == completion.usage.total_tokens
    assert exchange.finished


def test_an_exchange_is_complete_when_the_client_has_its_answer(deepseek, client):
    create = client.chat.completions.create
    for count in range(1, 30):
        *_, last = create(model="deepseek-flash", messages=[HI], stream=True)
        exchange = deepseek.exchanges[-1]
        assert len(deepseek.exchanges) == count
        assert exchange.usage["total_tokens"] == last.usage.total_tokens
        assert exchange.answer.endswith(b"data: [DONE]\n\n")
        assert exchange.finished


def test_a_body_that_is_no_json_is_kept_as_bytes(deepseek):
    ask(deepseek.base_url, body=b"\xff")
    assert (deepseek.exchanges[-1].body, deepseek.exchanges[-1].json) == (b"\xff", None)


def test_only_the_latest_exchanges_are_kept():
    with Simulator(keep=2) as deepseek:
        for path in ("/a", "/b", "/c"):
            ask(deepseek.base_url, path, method="GET")
        assert [exchange.path for exchange in deepseek.exchanges] == ["/b", "/c"]


def test_the_pace_is_the_time_between_two_pieces():
    with Simulator(pace=0.01) as deepseek:
        begun = time.monotonic()
        events = chat(deepseek.base_url, stream=True, thinking=OFF).events
        streamed = time.monotonic()
        chat(deepseek.base_url, thinking=OFF)
        done = time.monotonic()
    assert streamed - begun >= 0.01 * (len(events) - 1)
    assert done - streamed >= 0.01 * (len(events) - 2)


def test_a_client_may_leave_in_the_middle(deepseek, client, capfd):
    slow = SAMPLES / "stream_thinking.sse"
    for _ in range(3):
        deepseek.answer_next(slow, pause=0.01)
        create = client.chat.completions.create
        with create(model="deepseek-flash", messages=[HI], stream=True) as stream:
            next(iter(stream))
    assert chat(deepseek.base_url).status == 200
    deadline = time.monotonic() + 5
    while threading.active_count() > 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(exchange.finished for exchange in deepseek.exchanges[:3])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "answer"),
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
    ids=["silence", "no_http", "no_length", "below_zero", "no_chunk"],
)
def test_what_is_no_http_is_survived(deepseek, capfd, words, answer):
    url = urlsplit(deepseek.base_url)
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.settimeout(5)
        connection.sendall(words)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(13) == answer
    assert chat(deepseek.base_url).status == 200
    assert capfd.readouterr() == ("", "")


def test_closing_breaks_off_what_is_being_answered():
    before = threading.active_count()
    with Simulator() as deepseek:
        deepseek.fail_next("slow=60")
        url = urlsplit(deepseek.base_url)
        with OpenAI(base_url=deepseek.base_url, api_key="any") as client:
            stream = client.chat.completions.create(
                model="deepseek-flash", messages=[HI], stream=True
            )
            begun = time.monotonic()
            deepseek.close()
            assert time.monotonic() - begun < 2
            stream.close()
        assert threading.active_count() == before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((url.hostname, url.port))


def test_it_can_be_started_again_and_closed_twice():
    deepseek = Simulator()
    for _ in range(2):
        with deepseek:
            assert chat(deepseek.base_url).status == 200
        deepseek.close()
    assert len(deepseek.exchanges) == 2
    with pytest.raises(RuntimeError, match="not running"):
        _ = deepseek.base_url


def test_two_simulators_do_not_know_each_other():
    with Simulator() as one, Simulator() as other:
        chat(one.base_url)
        chat(one.base_url)
        usage = chat(other.base_url).json["usage"]
        assert usage["prompt_cache_hit_tokens"] == 0
        assert (len(one.exchanges), len(other.exchanges)) == (2, 1)
