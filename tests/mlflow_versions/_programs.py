"""The two programs and what their traces should have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

QUESTION: Final = "What's the weather like in Paris today?"
TOOL: Final = "get_weather"
TOOL_RESULT: Final = "The weather in Paris is always sunny."
SESSION: Final = "session-1"
USER: Final = "ada"
CHAT: Final = "chat deepseek-flash"


@dataclass(frozen=True)
class Program:
    """A program in `programs`.

    Attributes:
        title: The name of the program in the tables.
        file: The file name of the program.
        trace_name: The name of the trace in MLflow.
        agent: The name of the agent.
        mlflow_types: The span type of each span of the trace in MLflow, by its name.
        parents: The names of the parents of the spans at OTLP, by the spans' name.
        has_fluent_spans: Whether the agent and the tool have spans of `@mlflow.trace`.
    """

    title: str
    file: str
    trace_name: str
    agent: str
    mlflow_types: dict[str, str]
    parents: dict[str, list[str]]
    has_fluent_spans: bool = False

    def mlflow_name(self, name: str) -> str:
        """Returns the name in MLflow of the span that has this name at OTLP."""
        if not self.has_fluent_spans or name == CHAT:
            return name
        return name.rpartition(" ")[2]


PROGRAMS: Final = {
    program.title: program
    for program in (
        Program(
            "web request",
            "web_request.py",
            trace_name="POST /ask",
            agent="weather-agent",
            mlflow_types={
                "POST /ask": "CHAIN",
                "invoke_agent weather-agent": "AGENT",
                CHAT: "CHAT_MODEL",
                "execute_tool get_weather": "TOOL",
            },
            parents={
                "POST /ask": [""],
                "invoke_agent weather-agent": ["POST /ask"],
                CHAT: ["invoke_agent weather-agent"],
                "execute_tool get_weather": ["invoke_agent weather-agent"],
            },
        ),
        Program(
            "guide's agent",
            "guide_agent.py",
            trace_name="run_tool_agent",
            agent="run_tool_agent",
            mlflow_types={
                "run_tool_agent": "AGENT",
                CHAT: "CHAT_MODEL",
                "get_weather": "TOOL",
            },
            parents={
                "invoke_agent run_tool_agent": [""],
                CHAT: ["invoke_agent run_tool_agent"],
                "execute_tool get_weather": ["invoke_agent run_tool_agent"],
            },
            has_fluent_spans=True,
        ),
    )
}
