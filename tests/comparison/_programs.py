"""The twelve programs, and what their authors would look for in MLflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final


@dataclass(frozen=True)
class Program:
    """`answers` are samples served in this order; after them the simulator answers.

    `called` is a name that tells what the trace is of: the operation and its model, or
    the application's own word; `type` is the type of a model call.
    """

    title: str
    file: str
    called: str
    type: str = "CHAT_MODEL"
    answers: tuple[str, ...] = ()
    traces: int = 1
    session: str | None = None
    fails: str | None = None
    library: str = "openai"
    beside: str | None = None


CHAT: Final = "chat deepseek-flash"

PROGRAMS: Final = {
    program.title: program
    for program in (
        Program("plain", "plain.py", CHAT, answers=("chat_thinking.json",)),
        Program("stream", "stream.py", CHAT, answers=("stream_thinking.sse",)),
        Program("tools", "tools.py", CHAT, traces=2),
        Program(
            "parallel tools",
            "parallel_tools.py",
            CHAT,
            answers=("stream_tool_calls_parallel.sse",),
        ),
        Program("JSON mode", "json_mode.py", CHAT, answers=("chat_json_mode.json",)),
        Program(
            "FIM",
            "fim.py",
            "text_completion deepseek-v4-pro",
            "LLM",
            answers=("fim.json",),
        ),
        Program(
            "error",
            "error.py",
            CHAT,
            answers=("error_402.json",),
            fails="Insufficient Balance",
        ),
        Program(
            "async",
            "async.py",
            "chat deepseek-v4-pro",
            answers=("chat_cache_hit.json",),
        ),
        Program(
            "agent with `@mlflow.trace`",
            "agent.py",
            "run_tool_agent",
            session="session-9",
        ),
        Program(
            "FastAPI request",
            "fastapi_request.py",
            "POST /ask",
            answers=("chat_thinking.json",),
            session="session-10",
        ),
        Program(
            "LangChain",
            "langchain_chain.py",
            CHAT,
            answers=("chat_thinking.json",),
            library="langchain",
        ),
        Program(
            "two services",
            "frontend.py",
            "POST /contract",
            answers=("chat_cache_hit.json",),
            beside="backend.py",
        ),
    )
}
