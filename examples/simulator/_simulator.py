"""The simulator: the server together with the API that it serves."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from ._api import DeepSeekApi
from ._faults import Fault
from ._http_response import ConnectionDropError, ResponseFactory
from ._http_server import HttpServer
from ._overrides import OverrideQueue
from ._recorded_response import RecordedResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from ._exchange import Exchange


class Simulator:
    """A stand-in for api.deepseek.com on a local port, served by a background thread.

    As a context manager it starts on entry and closes on exit.

    Args:
        port: The port to listen on; 0 takes a free one.
        host: The address to listen on.
        faults: One fault, or several in the order in which they apply. Each applies to
            every request unless it has `times=N`. `python -m examples.simulator
            --help` describes the syntax.
        pace: Seconds between two chunks of a response.
        api_key: The only API key to accept; None accepts any key that is not empty.
        max_exchanges: The number of exchanges to keep; older ones are discarded.
        on_exchange_end: Called with each exchange when it ends, on the thread of its
            connection.

    Raises ValueError if a fault is invalid; the message describes the syntax.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        faults: str | Sequence[str] = (),
        pace: float = 0.0,
        api_key: str | None = None,
        max_exchanges: int = 10_000,
        on_exchange_end: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._address = (host, port)
        self._exchanges: deque[Exchange] = deque(maxlen=max_exchanges)
        self._on_exchange_end = on_exchange_end
        self._next_overrides = OverrideQueue()
        self._default_overrides = OverrideQueue()
        for text in [faults] if isinstance(faults, str) else faults:
            fault = Fault.parse(text)
            self._default_overrides.put(fault, fault.times)
        self._closing = threading.Event()
        api = DeepSeekApi(
            api_key=api_key,
            default_overrides=self._default_overrides,
            next_overrides=self._next_overrides,
            responses=ResponseFactory(pace, self._wait),
        )
        self._respond = api.respond
        self._server: HttpServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Starts the server, which accepts connections when this method returns.

        Raises OSError if the port is not available.
        """
        self._closing.clear()
        self._server = HttpServer(
            self._address,
            self._respond,
            on_exchange_start=self._exchanges.append,
            on_exchange_end=self._end_exchange,
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
        """Interrupts all responses, closes all connections and ends all threads."""
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
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The value for `OpenAI(base_url=...)`; `/v1` or `/beta` may be appended.

        `/anthropic` must be appended for `Anthropic(base_url=...)`.

        Raises RuntimeError if the simulator is not running.
        """
        if self._server is None:
            raise RuntimeError(
                "The simulator is not running; use it in a with statement or call"
                " start()."
            )
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}"  # type: ignore[str-bytes-safe]  # it is a str

    @property
    def exchanges(self) -> list[Exchange]:
        """The latest requests and their responses, in the order of the requests."""
        return list(self._exchanges)

    def answer_next(
        self,
        response: RecordedResponse | Path | str,
        *,
        times: int = 1,
        pause: float = 0.0,
    ) -> None:
        """Answers the next requests, whatever they are, with a recorded response.

        Args:
            response: The response, or the path of a file for
                `RecordedResponse.from_file`.
            times: The number of requests to answer.
            pause: Seconds between two events of the file.

        Raises OSError if the file cannot be read.
        """
        if not isinstance(response, RecordedResponse):
            response = RecordedResponse.from_file(response, pause=pause)
        self._next_overrides.put(response, times)

    def fail_next(self, fault: str, times: int = 1) -> None:
        """Applies a fault to the next requests.

        Args:
            fault: The fault, in the syntax of `python -m examples.simulator --help`.
            times: The number of requests, unless the fault has `times=N`.

        Raises ValueError if the fault is invalid; the message describes the syntax.
        """
        parsed_fault = Fault.parse(fault)
        if parsed_fault.times is not None:
            times = parsed_fault.times
        self._next_overrides.put(parsed_fault, times)

    def _end_exchange(self, exchange: Exchange) -> None:
        if self._on_exchange_end:
            self._on_exchange_end(exchange)

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self._closing.wait(min(seconds, threading.TIMEOUT_MAX)):
            raise ConnectionDropError
