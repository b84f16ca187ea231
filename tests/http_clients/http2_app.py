"""An ASGI application that answers with a recorded response over HTTP/2."""

from __future__ import annotations

from typing import Any

from tests.instrumentation.conftest import sample


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with a recorded response: a stream if the request asks for one."""
    if scope["type"] != "http":
        return
    assert scope["http_version"] == "2"
    # To the end: hypercorn closes the connection when a part of the request arrives
    # after the response.
    message = await receive()
    body = message["body"]
    while message["more_body"]:
        message = await receive()
        body += message["body"]
    response = sample(
        "stream_thinking.sse" if b'"stream"' in body else "chat_thinking.json"
    )
    headers = [
        (name.lower().encode(), value.encode())
        for name, value in response.headers.items()
        if name.lower() not in {"connection", "transfer-encoding"}
    ]
    headers.append((b"x-ds-trace-id", b"0" * 32))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in response.body.splitlines(keepends=True):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})
