"""The command line of the simulator: `python -m examples.simulator`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from ._faults import FAULT_HEADER, FAULT_SYNTAX, Fault
from ._simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from ._exchange import Exchange

_DEFAULT_PACE = 0.02  # seconds: about the speed of the real models

_DESCRIPTION = """\
A local stand-in for api.deepseek.com over real HTTP, without a key and without cost.

It reproduces DeepSeek's API byte for byte: chat with and without thinking, streams,
tool calls, JSON mode, log probabilities, prefix and FIM completion (under /beta),
models and balance, the documented errors, and token counts with a stateful prompt
cache. Answers are short, derived from the words of the request, and deterministic.
"""
_EPILOG = f"""\
use with the openai SDK:
  client = OpenAI(base_url="http://127.0.0.1:8123", api_key="any")
or without a change to the program:
  OPENAI_BASE_URL=http://127.0.0.1:8123 OPENAI_API_KEY=any python app.py
spans of these calls need the host:
  OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS=127.0.0.1:8123

faults, for every request (--fault) or for one request (header {FAULT_HEADER}):
{FAULT_SYNTAX}
  client.chat.completions.create(
      ..., extra_headers={{"{FAULT_HEADER}": "503 times=2"}}
  )
  fails twice and succeeds on the SDK's second retry.
"""
_STARTUP_MESSAGE = """\
DeepSeek simulator at {url}  (Ctrl+C stops it)

  from openai import OpenAI
  client = OpenAI(base_url="{url}", api_key="{key}")
  print(client.chat.completions.create(model="deepseek-flash", messages=[
      {{"role": "user", "content": "How many r's in strawberry?"}}]))

For spans of these calls set OTEL_INSTRUMENTATION_DEEPSEEK_HOSTS={host}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until interrupted and returns the exit status."""
    options = _argument_parser().parse_args(arguments)
    stop_event = _stop_event()
    try:
        simulator = Simulator(
            options.port,
            host=options.host,
            faults=options.fault,
            pace=options.pace,
            api_key=options.api_key,
            max_exchanges=0,
            on_exchange_end=_print_exchange if options.verbose else None,
        ).start()
    except OSError as error:
        address = f"{options.host}:{options.port}"
        print(f"Cannot listen on {address}: {error.strerror}.", file=sys.stderr)
        print("Choose another --port; --port 0 takes a free one.", file=sys.stderr)
        return 1
    url = simulator.base_url
    message = _STARTUP_MESSAGE.format(
        url=url, host=url.partition("//")[2], key=options.api_key or "any"
    )
    print(message, flush=True)
    # On Windows, Ctrl+C does not interrupt a wait without a timeout.
    while not stop_event.wait(1):
        pass
    simulator.close()
    return 0


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.simulator",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=8123, help="0 takes a free one (%(default)s)")
    add(
        "--pace",
        type=_seconds,
        default=_DEFAULT_PACE,
        metavar="SECONDS",
        help="time between two chunks of a response (%(default)s)",
    )
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="FAULT",
        help='fault for every request (see below), for example "503 times=2"',
    )
    add(
        "--api-key",
        metavar="KEY",
        help="the only key to accept (default: any key that is not empty)",
    )
    add("--verbose", action="store_true", help="print a line for each request")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds, 0 or greater; got {text!r}"
        )
    return seconds


def _fault(text: str) -> str:
    try:
        Fault.parse(text)
    except ValueError as error:
        message = str(error).partition("\n")[0]
        raise argparse.ArgumentTypeError(f"{message}; see --help") from None
    return text


def _print_exchange(exchange: Exchange) -> None:
    token_counts = ""
    if tokens := exchange.tokens:
        token_counts = f"{tokens.input} tokens ({tokens.cached} cached)"
        token_counts += f" -> {tokens.output}"
    columns = [
        time.strftime("%H:%M:%S"),
        exchange.method,
        exchange.path,
        str(exchange.status or "dropped"),
        token_counts,
        f"[{exchange.fault.text}]" if exchange.fault.text else "",
        "" if exchange.is_complete else "incomplete",
    ]
    print(*filter(None, columns), flush=True)


def _stop_event() -> threading.Event:
    """Returns an event that is set by SIGINT (Ctrl+C) and by SIGTERM."""
    stop_event = threading.Event()

    def stop(_signal_number: int, _frame: FrameType | None) -> None:
        stop_event.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stop_event


if __name__ == "__main__":
    sys.exit(main())
