"""The packages that wrap calls of the openai SDK, and how to enable each of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Nothing listens on this port: no package may reach its own server.
_NO_SERVER: Final = "http://127.0.0.1:9"

ENVIRONMENT: Final = {
    "BRAINTRUST_API_URL": _NO_SERVER,
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": _NO_SERVER,
    "LANGFUSE_BASE_URL": _NO_SERVER,
    "LANGFUSE_PUBLIC_KEY": "pk",
    "LANGFUSE_SECRET_KEY": "sk",
    "LANGSMITH_API_KEY": "any",
    "LANGSMITH_ENDPOINT": _NO_SERVER,
    "LANGSMITH_TRACING": "true",
    "OPIK_URL_OVERRIDE": _NO_SERVER,
    "OPIK_WORKSPACE": "default",
}


def _instrumentor(module: str) -> Callable[[], None]:
    def enable() -> None:
        import_module(module).OpenAIInstrumentor().instrument()

    return enable


def _enable_langfuse() -> None:
    import_module("langfuse.openai")


def _enable_logfire() -> None:
    logfire = import_module("logfire")
    logfire.configure(send_to_logfire=False, console=False)
    logfire.instrument_openai()


def _enable_mlflow() -> None:
    import_module("mlflow").openai.autolog()


def _enable_sentry() -> None:
    import_module("sentry_sdk").init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sample_rate=1.0,
        integrations=[
            import_module("sentry_sdk.integrations.openai").OpenAIIntegration()
        ],
        transport=lambda _: None,
    )


def _enable_ddtrace() -> None:
    import_module("ddtrace").patch(openai=True)


# These packages patch the SDK's classes.
PATCHES: Final[dict[str, Callable[[], None]]] = {
    "openinference": _instrumentor("openinference.instrumentation.openai"),
    "traceloop": _instrumentor("opentelemetry.instrumentation.openai"),
    "langfuse": _enable_langfuse,
    "logfire": _enable_logfire,
    "mlflow": _enable_mlflow,
    "sentry": _enable_sentry,
    "ddtrace": _enable_ddtrace,
}


def _wrap_with_langsmith(client: Any) -> Any:
    return import_module("langsmith.wrappers").wrap_openai(client)


def _wrap_with_opik(client: Any) -> Any:
    return import_module("opik.integrations.openai").track_openai(client)


def _wrap_with_braintrust(client: Any) -> Any:
    return import_module("braintrust").wrap_openai(client)


# These packages wrap a client object.
CLIENT_WRAPPERS: Final[dict[str, Callable[[Any], Any]]] = {
    "langsmith": _wrap_with_langsmith,
    "opik": _wrap_with_opik,
    "braintrust": _wrap_with_braintrust,
}
