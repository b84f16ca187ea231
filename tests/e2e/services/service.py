# ruff: noqa: T201  # written as users write programs
"""A web service that calls DeepSeek, or the next service: `NEXT=http://…`.

It extracts W3C trace context from its requests and injects it into its own.
"""

import os
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from openai import OpenAI

from opentelemetry import propagate, trace

tracer = trace.get_tracer("web")
client = OpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="sk-service")


def ask_deepseek(question: str) -> str:
    chat = [{"role": "user", "content": question}]
    response = client.chat.completions.create(model="deepseek-flash", messages=chat)
    return response.choices[0].message.content


def ask_next(question: str) -> str:
    with tracer.start_as_current_span("POST", kind=trace.SpanKind.CLIENT):
        headers = {}
        propagate.inject(headers)
        request = urllib.request.Request(
            os.environ["NEXT"], question.encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read().decode()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            answer = self.answer(question)
        except RuntimeError:
            self.send_error(500)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def answer(self, question: str) -> str:
        parent = propagate.extract(self.headers)
        with tracer.start_as_current_span(
            f"POST {self.path}", parent, trace.SpanKind.SERVER
        ):
            answer = (ask_next if "NEXT" in os.environ else ask_deepseek)(question)
            if "FAILS" in os.environ:
                raise RuntimeError("no time left")
            return answer


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
