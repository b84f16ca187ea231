"""The simulator as an object: start it, ask what it heard, tell it what to answer."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from ._api import Service
from ._faults import Fault
from ._http_response import DroppedError, Sending
from ._http_server import Server
from ._overrides import Queue
from ._recorded_response import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from ._exchange import Exchange


class Simulator:
    """api.deepseek.com on a port of this machine, in a thread of its own.

    port: 0 takes a free one. faults: lines of the fault language (`python -m
    examples.simulator --help`), for every request unless they say `times=N`.
    pace: seconds between two pieces of an answer. api_key: the only one that is
    accepted; None accepts any but an empty one. keep: how many exchanges are
    remembered, the latest ones. ended: called with each exchange when it is over.

    Raises ValueError for a fault that is none, OSError if the port is taken.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        faults: str | Sequence[str] = (),
        pace: float = 0.0,
        api_key: str | None = None,
        keep: int = 10_000,
        ended: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._address = (host, port)
        self._exchanges: deque[Exchange] = deque(maxlen=keep)
        self._ended = ended
        self._following, self._always = Queue(), Queue()
        for line in [faults] if isinstance(faults, str) else faults:
            fault = Fault.parse(line)
            self._always.put(fault, fault.times)
        self._closing = threading.Event()
        service = Service(
            api_key=api_key,
            always=self._always,
            following=self._following,
            sending=Sending(pace, self._wait),
        )
        self._respond = service.respond
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen and serve; ready when this returns."""
        self._closing.clear()
        self._server = Server(
            self._address, self._respond, self._exchanges.append, self._over
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.01},
            name="deepseek-simulator",
            daemon=True,
        )
        self._thread.start()
        return self

    def close(self) -> None:
        """Break off what is being answered, and leave nothing behind."""
        self._closing.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """For `OpenAI(base_url=...)`; with /v1 or /beta behind it, too."""
        if self._server is None:
            raise RuntimeError("the simulator is not running: enter it, or start() it")
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}"  # type: ignore[str-bytes-safe]  # it is a str

    @property
    def exchanges(self) -> list[Exchange]:
        """What was asked and answered so far, in the order of asking."""
        return list(self._exchanges)

    def answer_next(
        self, answer: Recorded | Path | str, *, times: int = 1, pause: float = 0.0
    ) -> None:
        """Answer the next request, whatever it is, with these bytes.

        answer: a Recorded, or the path of a sample (`Recorded.read`). pause: seconds
        between its events.
        """
        if not isinstance(answer, Recorded):
            answer = Recorded.read(answer, pause=pause)
        self._following.put(answer, times)

    def fail_next(self, fault: str, times: int = 1) -> None:
        """Let the next `times` requests meet `fault`, a line of the fault language."""
        read = Fault.parse(fault)
        self._following.put(read, times if read.times is None else read.times)

    def _over(self, exchange: Exchange) -> None:
        if self._ended:
            self._ended(exchange)

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self._closing.wait(min(seconds, threading.TIMEOUT_MAX)):
            raise DroppedError
