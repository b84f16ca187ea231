"""A DeepSeek agent, its trace in MLflow, and the same trace at an OTLP endpoint.

Uses what DEEPSEEK_API_KEY, MLFLOW_TRACKING_URI and OTEL_EXPORTER_OTLP_ENDPOINT say; for
each of them that is not set a stand-in is started, and stopped in the end.
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
from examples.quickstart._otlp import receiving, wait_for
from examples.quickstart._report import presentable, say
from examples.quickstart._table import table
from examples.quickstart._trace import Unreadable, read_back
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
        help="keep the MLflow that it started running until Ctrl-C",
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminated)
    _pass_proxies_by()
    # MLflow's client tries for minutes by default, and a user is watching.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    try:
        with ExitStack() as held:
            return _quickstart(held, serve=options.serve)
    except (MlflowServerError, Unreadable) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _quickstart(held: ExitStack, *, serve: bool) -> int:
    given = dict(os.environ)
    chosen: dict[str, str] = {}
    simulator: Simulator | None = None
    receiver: OtlpReceiver | None = None
    server: MlflowServer | None = None

    if given.get("DEEPSEEK_API_KEY"):
        base_url = given.get("DEEPSEEK_BASE_URL") or "https://api.deepseek.com"
        say("DeepSeek", presentable(base_url))
    else:
        simulator = held.enter_context(Simulator(pace=0.01))
        chosen["DEEPSEEK_API_KEY"] = "sk-simulated"
        chosen["DEEPSEEK_BASE_URL"] = simulator.base_url
        say(
            "DeepSeek",
            f"a simulator, {simulator.base_url}: no DEEPSEEK_API_KEY set",
        )

    if endpoint := (
        given.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        or given.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    ):
        say("OTLP", presentable(endpoint))
    else:
        receiver, endpoint = receiving(held)
        chosen["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        chosen["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"

    if tracking_uri := given.get("MLFLOW_TRACKING_URI"):
        say("MLflow", presentable(tracking_uri))
    else:
        say("MLflow", "a server on SQLite: no MLFLOW_TRACKING_URI set")
        server = held.enter_context(MlflowServer(report=lambda text: say("", text)))
        tracking_uri = chosen["MLFLOW_TRACKING_URI"] = server.uri

    mark = str(uuid4())
    variables = _agent_run.environment(given, chosen, mark)
    say("Agent", f"$ {_agent_run.command_line(variables)}")
    if code := _agent_run.run(variables):
        print(f"\nThe agent ended with exit code {code}, see above.", file=sys.stderr)
        return 1

    say("MLflow", "reading the trace back …")
    trace = read_back(
        tracking_uri,
        mark,
        experiment_id=variables.get("MLFLOW_EXPERIMENT_ID"),
        experiment_name=variables.get("MLFLOW_EXPERIMENT_NAME"),
    )
    print(f"\n{_report.headline(trace)}\n\n{table(trace)}\n")
    findings = [_report.priced(trace)]
    if simulator:
        findings.append(_report.billed(simulator.exchanges, trace))
    if receiver:
        wait_for(receiver, len(trace.spans))
        findings.append(_report.arrived(receiver.spans, trace))
    for finding in findings:
        say(finding.subject, finding.text)
    say("MLflow", _report.address(tracking_uri, trace))
    if server and serve:
        say("", "It runs until Ctrl-C.")
        with suppress(KeyboardInterrupt):
            signal.pause()
    elif server:
        say("", "It ends now; with --serve it stays to be looked at.")
    return 0 if all(finding.holds for finding in findings) else 1


def _pass_proxies_by() -> None:
    """The servers started here are on this machine, whatever the proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        others = os.environ.get(name)
        os.environ[name] = ",".join(filter(None, [others, "127.0.0.1", "localhost"]))


def _terminated(number: int, _frame: FrameType | None) -> None:
    # An exception, so that what was started is stopped.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
