"""An HTTP server with the part of OpenAI's API that the tests need.

OpenAI generates its test server from a specification that the archive does not contain.
This server has the four endpoints that instrumentations cover. All other paths return
404, so their tests fail at once, with and without a subject.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_USAGE: Final = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
_CHAT: Final = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "logprobs": None,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
        }
    ],
    "usage": _USAGE,
}
_TEXT: Final = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_700_000_000,
    "model": "gpt",
    "choices": [
        {"index": 0, "finish_reason": "stop", "logprobs": None, "text": "Hello"}
    ],
    "usage": _USAGE,
}
_RESPONSE: Final = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "gpt",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 1,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 4,
    },
}
_EMBEDDINGS: Final = {
    "object": "list",
    "model": "embedding",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def _chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {**_CHAT, "object": "chat.completion.chunk", "choices": [choice]}


# Maps a path to the response body and the events of a stream.
_RESPONSES: Final[dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]] = {
    "/chat/completions": (
        _CHAT,
        [_chunk({"role": "assistant", "content": "Hello"}, None), _chunk({}, "stop")],
    ),
    "/completions": (_TEXT, [_TEXT]),
    "/embeddings": (_EMBEDDINGS, []),
    "/responses": (
        _RESPONSE,
        [{"type": "response.completed", "sequence_number": 0, "response": _RESPONSE}],
    ),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request_body = self._read_body()
        if (response := _RESPONSES.get(self.path.partition("?")[0])) is None:
            self._send(404, "application/json", b"{}")
            return
        body, events = response
        if json.loads(request_body).get("stream"):
            stream = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
            self._send(200, "text/event-stream", f"{stream}data: [DONE]\n\n".encode())
        else:
            self._send(200, "application/json", json.dumps(body).encode())

    def _not_found(self) -> None:
        self._read_body()
        self._send(404, "application/json", b"{}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._not_found
        raise AttributeError(name)

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Some tests close a response before they read it.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve_api() -> Iterator[str]:
    """Runs the server and yields its base URL."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
