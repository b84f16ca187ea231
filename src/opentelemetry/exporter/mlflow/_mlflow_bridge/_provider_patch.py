"""Patches of `mlflow.tracing.provider`, which holds MLflow's tracer provider.

Only private names tell when MLflow replaces its tracer provider: before its first span,
and again after each `set_tracking_uri` or `set_experiment`. (The public
`get_bridged_tracer_provider` does not tell, and opens the store if it is called too
early.) A patch asks whether a name exists, and never for the version of MLflow.

https://github.com/mlflow/mlflow/blob/v3.17.2/mlflow/tracing/provider.py
https://github.com/mlflow/mlflow/blob/v3.1.4/mlflow/tracing/provider.py
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import TracerProvider
from wrapt import patch_function_wrapper

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

OTLP_SETTING: Final = "MLFLOW_ENABLE_OTLP_EXPORTER"

# All spans of MLflow start in one of these functions.
_START_FUNCTIONS: Final = ("start_span_in_context", "start_detached_span")


def patch_span_start(module: ModuleType, on_start_span: Callable[..., Any]) -> None:
    """Call `on_start_span`, a wrapper of wrapt's, instead of what starts spans.

    Raises AttributeError if a function does not exist. Then none is patched.
    """
    for name in _START_FUNCTIONS:
        getattr(module, name)
    for name in _START_FUNCTIONS:
        patch_function_wrapper(module, name)(on_start_span)


def patch_provider(module: ModuleType, on_provider: Callable[[Any], object]) -> None:
    """Call `on_provider` with the tracer provider of now and with each later one.

    Raises AttributeError if this version of MLflow holds it in an unknown way.
    """
    if hasattr(module, "_TracerProviderWrapper"):

        def on_set(
            wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
        ) -> Any:
            on_provider(args[0] if args else kwargs.get("tracer_provider"))
            return wrapped(*args, **kwargs)

        patch_function_wrapper(module, "_TracerProviderWrapper.set")(on_set)
        on_provider(module.provider.get())
    elif hasattr(module, "_MLFLOW_TRACER_PROVIDER"):

        def on_setup(
            wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
        ) -> Any:
            result = wrapped(*args, **kwargs)
            on_provider(module._MLFLOW_TRACER_PROVIDER)  # noqa: SLF001  # see above
            return result

        patch_function_wrapper(module, "_setup_tracer_provider")(on_setup)
        if isinstance(module._MLFLOW_TRACER_PROVIDER, TracerProvider):  # noqa: SLF001  # see above
            # Its span processors need the corrections of `patch_span_processor`.
            module._setup_tracer_provider()  # noqa: SLF001  # see above
    else:
        raise AttributeError(
            f"{module.__name__} has neither _TracerProviderWrapper nor "
            "_MLFLOW_TRACER_PROVIDER"
        )


def patch_otlp_export(module: ModuleType, is_active: Callable[[], bool]) -> None:
    """Obey MLFLOW_ENABLE_OTLP_EXPORTER where MLflow does not know the setting yet."""
    if hasattr(sys.modules.get("mlflow.environment_variables"), OTLP_SETTING):
        return

    def should_export(
        wrapped: Callable[..., Any], _instance: Any, args: Any, kwargs: Any
    ) -> Any:
        if is_active() and os.environ.get(OTLP_SETTING, "").lower() in ("false", "0"):
            return False
        return wrapped(*args, **kwargs)

    patch_function_wrapper(module, "should_use_otlp_exporter")(should_export)
