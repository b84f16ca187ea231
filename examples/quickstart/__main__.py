"""Runs a DeepSeek agent and shows its trace in MLflow and at an OTLP endpoint.

Uses DEEPSEEK_API_KEY, MLFLOW_TRACKING_URI and OTEL_EXPORTER_OTLP_ENDPOINT. For each
variable that is not set, a local replacement is started, and stopped at the end.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from examples.quickstart import _agent_run, _report
from examples.quickstart._otlp_endpoint import start_receiver, wait_for_spans
from examples.quickstart._recorded_trace import TraceReadError, read_trace
from examples.quickstart._report import print_row, redact_credentials
from examples.quickstart._span_table import format_span_table
from examples.quickstart.mlflow_server import MlflowServer, MlflowServerError
from examples.simulator import Simulator

if TYPE_CHECKING:
    from types import FrameType

    from examples.otlp_receiver import OtlpReceiver


def main() -> int:
    parser = argparse.ArgumentParser(
        "python -m examples.quickstart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--serve",
        action="store_true",
        help="keep the MLflow server that this program starts running until Ctrl-C",
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _raise_system_exit)
    _bypass_proxies()
    # MLflow's client retries for minutes by default, which is too long for a user.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    try:
        with ExitStack() as stack:
            return _quickstart(stack, serve=options.serve)
    except (MlflowServerError, TraceReadError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _quickstart(stack: ExitStack, *, serve: bool) -> int:
    inherited = dict(os.environ)
    overrides: dict[str, str] = {}
    simulator: Simulator | None = None
    receiver: OtlpReceiver | None = None
    server: MlflowServer | None = None

    if inherited.get("DEEPSEEK_API_KEY"):
        base_url = inherited.get("DEEPSEEK_BASE_URL") or "https://api.deepseek.com"
        print_row("DeepSeek", redact_credentials(base_url))
    else:
        simulator = stack.enter_context(Simulator(pace=0.01))
        overrides["DEEPSEEK_API_KEY"] = "sk-simulated"
        overrides["DEEPSEEK_BASE_URL"] = simulator.base_url
        print_row(
            "DeepSeek",
            f"simulator at {simulator.base_url} (DEEPSEEK_API_KEY is not set)",
        )

    if endpoint := (
        inherited.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        or inherited.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    ):
        print_row("OTLP", redact_credentials(endpoint))
    else:
        receiver, endpoint = start_receiver(stack)
        overrides["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        overrides["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"

    if tracking_uri := inherited.get("MLFLOW_TRACKING_URI"):
        print_row("MLflow", redact_credentials(tracking_uri))
    else:
        print_row("MLflow", "server on SQLite (MLFLOW_TRACKING_URI is not set)")
        server = stack.enter_context(
            MlflowServer(report=lambda text: print_row("", text))
        )
        tracking_uri = overrides["MLFLOW_TRACKING_URI"] = server.uri

    run_id = str(uuid4())
    variables = _agent_run.agent_environment(inherited, overrides, run_id)
    print_row("Agent", f"$ {_agent_run.command_line(variables)}")
    if code := _agent_run.run(variables):
        print(
            f"\nThe agent failed with exit code {code}. See its output above.",
            file=sys.stderr,
        )
        return 1

    print_row("MLflow", "reading the trace …")
    trace = read_trace(
        tracking_uri,
        run_id,
        experiment_id=variables.get("MLFLOW_EXPERIMENT_ID"),
        experiment_name=variables.get("MLFLOW_EXPERIMENT_NAME"),
    )
    print(f"\n{_report.headline(trace)}\n\n{format_span_table(trace)}\n")
    checks = [_report.check_cost(trace)]
    if simulator:
        checks.append(_report.check_tokens(simulator.exchanges, trace))
    if receiver:
        wait_for_spans(receiver, len(trace.spans))
        checks.append(_report.check_received_spans(receiver.spans, trace))
    for check in checks:
        print_row(check.subject, check.text)
    print_row("MLflow", _report.trace_url(tracking_uri, trace))
    if server and serve:
        print_row("", "The server runs until Ctrl-C.")
        with suppress(KeyboardInterrupt):
            signal.pause()
    elif server:
        print_row("", "The server stops now. With --serve it keeps running.")
    return 0 if all(check.passed for check in checks) else 1


def _bypass_proxies() -> None:
    """Excludes the local servers from any proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = os.environ.get(name)
        os.environ[name] = ",".join(filter(None, [hosts, "127.0.0.1", "localhost"]))


def _raise_system_exit(number: int, _frame: FrameType | None) -> None:
    # The exception closes the exit stack, which stops the servers.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
