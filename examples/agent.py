"""An agent with a conversation: `opentelemetry-instrument python examples/agent.py`.

Needs `pip install opentelemetry-processor-baggage` in addition to the packages of the
README.
"""

import os
from datetime import datetime, timezone
from typing import Any

from openai import OpenAI
from opentelemetry.processor.baggage import BaggageSpanProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util.genai.handler import TelemetryHandler

from opentelemetry import baggage, context, trace

URL = os.environ.get("DEEPSEEK_BASE_URL", "https://api.deepseek.com")
KEY = os.environ["DEEPSEEK_API_KEY"]
CLOCK = {"name": "clock", "description": "The time now, in UTC"}
SPAN_ATTRIBUTES = {"user.id": "ada", "gen_ai.prompt.name": "time-teller"}


def run_tool(call: Any) -> dict[str, Any]:
    with genai.tool(call.function.name, tool_type="function") as tool:
        tool.tool_call_id, tool.arguments = call.id, call.function.arguments
        tool.tool_result = datetime.now(timezone.utc).isoformat()
    return {"role": "tool", "tool_call_id": call.id, "content": tool.tool_result}


def answer(chat: list[Any], conversation: str) -> Any:
    create: Any = deepseek.chat.completions.create
    tools = [{"type": "function", "function": CLOCK}]
    with genai.invoke_local_agent(agent_name="teller", conversation_id=conversation):
        while True:
            response = create(model="deepseek-flash", messages=chat, tools=tools)
            chat.append(response.choices[0].message)
            if not chat[-1].tool_calls:
                return chat[-1].content
            chat.extend(map(run_tool, chat[-1].tool_calls))


genai, deepseek = TelemetryHandler(), OpenAI(base_url=URL, api_key=KEY)
if isinstance(provider := trace.get_tracer_provider(), TracerProvider):
    # Baggage is copied to spans. It is also sent in the headers of traced HTTP calls.
    provider.add_span_processor(BaggageSpanProcessor(SPAN_ATTRIBUTES.__contains__))
for name, value in SPAN_ATTRIBUTES.items():
    context.attach(baggage.set_baggage(name, value))
chat: list[Any] = []
for question in ("What time is it?", "And a haiku about that?"):
    chat.append({"role": "user", "content": question})
    print(answer(chat, conversation="talk-1"))
