"""`python -m examples.simulator`"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from ._faults import GRAMMAR, HEADER, Fault
from ._simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from ._exchange import Exchange

_HUMAN = 0.02  # seconds: about as fast as the real models write

_WHAT = """\
A stand-in for api.deepseek.com on this machine: real HTTP, no key, no cost.

It speaks DeepSeek's API down to the bytes: chat with and without thinking, streams,
tool calls, JSON mode, log probabilities, prefix and FIM completion (under /beta),
models and balance, the documented errors, and token counts with a prompt cache that
remembers. What it says is short, made up from your words, and always the same.
"""
_HOW = f"""\
use it from the openai SDK:
  client = OpenAI(base_url="http://127.0.0.1:8123", api_key="any")
or without a change of the program:
  OPENAI_BASE_URL=http://127.0.0.1:8123 OPENAI_API_KEY=any python app.py

faults, for every request (--fault) or for one (the header {HEADER}):
{GRAMMAR}
  client.chat.completions.create(
      ..., extra_headers={{"{HEADER}": "503 times=2"}}
  )
  is refused twice and answered when the SDK tries a third time.
"""
_EXAMPLE = """\
DeepSeek simulator at {url}  (Ctrl+C ends it)

  from openai import OpenAI
  client = OpenAI(base_url="{url}", api_key="{key}")
  print(client.chat.completions.create(model="deepseek-flash", messages=[
      {{"role": "user", "content": "How many r's in strawberry?"}}]))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Returns the exit status."""
    options = _parser().parse_args(arguments)
    over = _interruption()
    try:
        simulator = Simulator(
            options.port,
            host=options.host,
            faults=options.fault,
            pace=options.pace,
            api_key=options.api_key,
            keep=0,
            ended=_print if options.verbose else None,
        ).start()
    except OSError as error:
        where = f"{options.host}:{options.port}"
        print(f"cannot listen on {where}: {error.strerror}", file=sys.stderr)
        print("another --port may be free; --port 0 takes one", file=sys.stderr)
        return 1
    url = simulator.base_url
    print(_EXAMPLE.format(url=url, key=options.api_key or "any"), flush=True)
    while not over.wait(1):  # on Windows a wait without an end hears no Ctrl+C
        pass
    simulator.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.simulator",
        description=_WHAT,
        epilog=_HOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=8123, help="0 takes a free one (%(default)s)")
    add(
        "--pace",
        type=_seconds,
        default=_HUMAN,
        metavar="SECONDS",
        help="from one piece of an answer to the next (%(default)s)",
    )
    add(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="FAULT",
        help='let every request fail, for example "503 times=2"; see below',
    )
    add("--api-key", metavar="KEY", help="accept this key only (any but an empty one)")
    add("--verbose", action="store_true", help="a line for each request")
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _fault(text: str) -> str:
    try:
        Fault.parse(text)
    except ValueError as error:
        message = str(error).partition("\n")[0]
        raise argparse.ArgumentTypeError(f"{message}; --help lists them") from None
    return text


def _print(exchange: Exchange) -> None:
    usage = exchange.usage or {}
    counts = ""
    if usage:
        hit, answer = usage["prompt_cache_hit_tokens"], usage["completion_tokens"]
        counts = f"{usage['prompt_tokens']} tokens ({hit} cached) -> {answer}"
    words = [
        time.strftime("%H:%M:%S"),
        exchange.method,
        exchange.path,
        str(exchange.status or "dropped"),
        counts,
        f"[{exchange.fault.text}]" if exchange.fault.text else "",
        "" if exchange.finished else "broken off",
    ]
    print(*filter(None, words), flush=True)


def _interruption() -> threading.Event:
    """Set on Ctrl+C, and when a supervisor says it is over."""
    over = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return over


if __name__ == "__main__":
    sys.exit(main())
