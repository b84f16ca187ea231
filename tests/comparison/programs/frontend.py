# ruff: noqa: T201  # written as users write programs
"""The first of two services; it calls the second with W3C trace context."""

import os
import threading
import time
import urllib.request

import uvicorn
from fastapi import FastAPI

from opentelemetry import propagate

app = FastAPI()


@app.post("/contract")
def contract(question: str) -> str:
    headers = {}
    propagate.inject(headers)
    request = urllib.request.Request(
        f"{os.environ['BACKEND']}/answer", question.encode(), headers
    )
    return urllib.request.urlopen(request, timeout=30).read().decode()


server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
url = f"http://127.0.0.1:{port}/contract?question=Which+clause+governs+termination?"
request = urllib.request.Request(url, method="POST")
print(urllib.request.urlopen(request, timeout=30).read().decode())
server.should_exit = True
thread.join()
