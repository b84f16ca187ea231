"""Finds exporters that the environment selects and OpenTelemetry cannot load.

If it cannot load one, it logs a traceback that has no advice, loads no instrumentation,
and the program runs without any telemetry. A user sees this who sets only
OTEL_TRACES_EXPORTER: the default of the other two variables is OTLP over gRPC, which no
extra of this package installs.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRACES_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_SIGNALS: Final = ("TRACES", "METRICS", "LOGS")
_OTLP: Final = "otlp"
_PROTOCOL: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_HTTP: Final = "http/protobuf"
# The names of the SDK's own entry points.
_OTLP_EXPORTERS: Final = {"grpc": "otlp_proto_grpc", _HTTP: "otlp_proto_http"}


class _Selection(NamedTuple):
    """What a variable selects; `protocol` is that of the exporter `otlp`."""

    variable: str
    names: list[str]
    installed: set[str]
    protocol: str
    is_set: bool


def exporter_names(environment: Mapping[str, str], variable: str) -> list[str]:
    """Return the names of exporters in the variable.

    Without the variable, opentelemetry-distro selects `otlp`. If it is empty, no
    exporter is selected.
    """
    value = environment.get(variable, _OTLP).strip()
    if value.lower() == "none":
        return []
    return [name for part in value.split(",") if (name := part.strip())]


def exporter_problems(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield causes why OpenTelemetry will not start, each with the remedy."""
    selections = [_selection(environment, signal) for signal in _SIGNALS]
    for variable, names, installed, _, _ in selections:
        known = {_OTLP, "none"} | installed - set(_OTLP_EXPORTERS.values())
        for name in names:
            if name not in known | installed:
                advice = f"Known are {', '.join(sorted(known))}."
                if close := get_close_matches(name.lower(), known, 1):
                    advice = f"Did you mean {close[0]}?"
                yield f"{variable} has {name!r}, which is not installed. {advice}"
    if without_otlp := [
        selection
        for selection in selections
        if _OTLP in selection.names
        and _OTLP_EXPORTERS.get(selection.protocol) not in selection.installed
    ]:
        yield _otlp_problem(without_otlp)


def _selection(environment: Mapping[str, str], signal: str) -> _Selection:
    variable = f"OTEL_{signal}_EXPORTER"
    protocol = (
        environment.get(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL")
        or environment.get(_PROTOCOL)
        or "grpc"
    )
    group = f"opentelemetry_{signal.lower()}_exporter"
    return _Selection(
        variable,
        exporter_names(environment, variable),
        set(entry_points(group=group).names),
        protocol.strip(),
        variable in environment,
    )


def _otlp_problem(selections: list[_Selection]) -> str:
    variables = " and ".join(selection.variable for selection in selections)
    is_default = not all(selection.is_set for selection in selections)
    exporter = f"{_OTLP}, the default," if is_default else _OTLP
    settings = [
        f"{selection.variable}="
        + ("mlflow" if selection.variable == TRACES_EXPORTER else "none")
        for selection in selections
    ]
    protocol = selections[0].protocol
    has_http = all(_OTLP_EXPORTERS[_HTTP] in s.installed for s in selections)
    other = (
        f"{_PROTOCOL}={_HTTP}" if has_http else "install opentelemetry-exporter-otlp"
    )
    return (
        f"{variables}: {exporter} is not installed for {protocol}. Set "
        f"{' '.join(settings)}, or for an OTLP backend {other}."
    )
