"""The part of AWS Lambda that a function sees: the Runtime API, and the freeze.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class LambdaRuntime:
    """A context manager that starts a function, and freezes it between two events.

    A function asks for the next event after it has sent its response. Lambda freezes it
    then, and it continues when there is an event.
    """

    def __init__(self, command: list[Any], **options: Any) -> None:
        self._command = command
        self._options = options
        self._event: dict[str, str] | None = None
        self._changed = threading.Condition()
        self._responses: list[Any] = []
        self._is_closed = False
        self.is_frozen = False

    def __enter__(self) -> Self:
        runtime = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                event = runtime._next_event()
                if event is None:
                    return
                body = json.dumps(event).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Lambda-Runtime-Aws-Request-Id", "request")
                self.send_header(
                    "Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1e3) + 60_000)
                )
                self.send_header(
                    "Lambda-Runtime-Invoked-Function-Arn",
                    "arn:aws:lambda:eu-central-1:123456789012:function:answer",
                )
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                runtime._respond(json.loads(body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        environment = self._options.pop("env") | {
            "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
            "AWS_LAMBDA_FUNCTION_NAME": "answer",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "_HANDLER": str(self._command[-1]),
        }
        self._process = subprocess.Popen(
            self._command, env=environment, **self._options
        )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: dict[str, str], timeout: float = 60) -> Any:
        """Returns the response to an event. The function is frozen then."""
        with self._changed:
            self._event = event
            count = len(self._responses)
            self._thaw()
            self._changed.notify_all()
            is_done = self._changed.wait_for(
                lambda: len(self._responses) > count and self.is_frozen, timeout
            )
            assert is_done, f"no response within {timeout:g} s"
            return self._responses[-1]

    def _next_event(self) -> dict[str, str] | None:
        with self._changed:
            if self._event is None:
                self._freeze()
            self._changed.wait_for(lambda: self._event or self._is_closed)
            event, self._event = self._event, None
            return event

    def _respond(self, response: Any) -> None:
        with self._changed:
            self._responses.append(response)

    def _freeze(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)
        status = Path(f"/proc/{self._process.pid}/stat")
        if status.parent.exists():
            while status.read_text().rpartition(")")[2].split()[0] != "T":
                time.sleep(0.001)
        self.is_frozen = True
        self._changed.notify_all()

    def _thaw(self) -> None:
        if self.is_frozen:
            self.is_frozen = False
            os.kill(self._process.pid, signal.SIGCONT)
