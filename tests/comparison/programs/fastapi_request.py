# ruff: noqa: T201  # written as users write programs
import os
import threading
import time
import urllib.request

import uvicorn
from fastapi import FastAPI
from openai import AsyncOpenAI

from opentelemetry import trace

app = FastAPI()
client = AsyncOpenAI(base_url=os.environ["DEEPSEEK_BASE_URL"], api_key="any")


@app.post("/ask")
async def ask(question: str) -> str:
    trace.get_current_span().set_attribute("session.id", "session-10")
    response = await client.chat.completions.create(
        model="deepseek-flash", messages=[{"role": "user", "content": question}]
    )
    return response.choices[0].message.content


server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
url = f"http://127.0.0.1:{port}/ask?question=How+many+r's+are+in+strawberry?"
request = urllib.request.Request(url, method="POST")
print(urllib.request.urlopen(request, timeout=30).read().decode())
server.should_exit = True
thread.join()
