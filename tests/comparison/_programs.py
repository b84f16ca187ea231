"""The twelve programs and the expected facts of their traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final


@dataclass(frozen=True)
class Program:
    """A program in `programs` and what its traces should have in MLflow.

    Attributes:
        title: The name of the program in the tables.
        file: The file name of the program.
        trace_name: The operation and its model, or the application's own name.
        span_type: The span type of the model calls.
        response_files: Names of samples to serve, in this order; the simulator answers
            further calls itself.
        trace_count: The number of traces.
        session_id: The session that the program sets.
        error_message: The message of the error that the calls fail with.
        library: The module of MLflow with the `autolog` for the program.
        service_file: The file name of the service that the program calls.
    """

    title: str
    file: str
    trace_name: str
    span_type: str = "CHAT_MODEL"
    response_files: tuple[str, ...] = ()
    trace_count: int = 1
    session_id: str | None = None
    error_message: str | None = None
    library: str = "openai"
    service_file: str | None = None


CHAT: Final = "chat deepseek-flash"

PROGRAMS: Final = {
    program.title: program
    for program in (
        Program("plain", "plain.py", CHAT, response_files=("chat_thinking.json",)),
        Program("stream", "stream.py", CHAT, response_files=("stream_thinking.sse",)),
        Program("tools", "tools.py", CHAT, trace_count=2),
        Program(
            "parallel tools",
            "parallel_tools.py",
            CHAT,
            response_files=("stream_tool_calls_parallel.sse",),
        ),
        Program(
            "JSON mode", "json_mode.py", CHAT, response_files=("chat_json_mode.json",)
        ),
        Program(
            "FIM",
            "fim.py",
            "text_completion deepseek-v4-pro",
            "LLM",
            response_files=("fim.json",),
        ),
        Program(
            "error",
            "error.py",
            CHAT,
            response_files=("error_402.json",),
            error_message="Insufficient Balance",
        ),
        Program(
            "async",
            "async.py",
            "chat deepseek-v4-pro",
            response_files=("chat_cache_hit.json",),
        ),
        Program(
            "agent with `@mlflow.trace`",
            "agent.py",
            "run_tool_agent",
            session_id="session-9",
        ),
        Program(
            "FastAPI request",
            "fastapi_request.py",
            "POST /ask",
            response_files=("chat_thinking.json",),
            session_id="session-10",
        ),
        Program(
            "LangChain",
            "langchain_chain.py",
            CHAT,
            response_files=("chat_thinking.json",),
            library="langchain",
        ),
        Program(
            "two services",
            "frontend.py",
            "POST /contract",
            response_files=("chat_cache_hit.json",),
            service_file="backend.py",
        ),
    )
}
