"""Measures a round of a case, with alternating calls with and without patches."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from dataclasses import dataclass
from itertools import islice
from statistics import median
from time import thread_time
from typing import TYPE_CHECKING, Any, Final

from .transport import (
    CHUNKS,
    QUESTION,
    create_client,
    create_http_client,
    message_history,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import openai

    from .patches import Patches

_CALLS: Final = 30
_HISTORY_CALLS: Final = 6
_OTHER_HOST: Final = "https://example.com/v1/embeddings"
_REQUESTS: Final = 50
_WINDOW_SIZE: Final = 50
_MODEL: Final = "deepseek-flash"
_HISTORY: Final = message_history(100)
_MICROSECONDS: Final = 1e6
_KIB: Final = 1024
_PATCH_STATES: Final = (False, True)
_drain: Final = deque[Any](maxlen=0).extend


@dataclass(frozen=True)
class Round:
    """The cost of the SDK without patches and the overhead of the patches.

    The unit is µs, or KiB for memory.
    """

    sdk: float
    overhead: float


def _median_round(pairs: list[dict[bool, float]]) -> Round:
    return Round(
        median(pair[False] for pair in pairs),
        median(pair[True] - pair[False] for pair in pairs),
    )


def _order(turn: int) -> tuple[bool, bool]:
    """Returns the patch states in an order that alternates from turn to turn."""
    return _PATCH_STATES if turn % 2 else (True, False)


def _cpu_time(function: Callable[[], object]) -> float:
    start = thread_time()
    function()
    return (thread_time() - start) * _MICROSECONDS


class Benchmark:
    """Measures every case with the patches removed and applied."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches
        self._client: openai.OpenAI = create_client()
        self.instrumented_calls = 0
        self._cases: dict[str, Callable[[], Round]] = {
            "call": lambda: self._calls(QUESTION, _CALLS),
            "history": lambda: self._calls(_HISTORY, _HISTORY_CALLS),
            "first_chunk": self._first_chunks,
            "chunk": self._chunks,
            "memory": self._memory,
            "other_host": self._requests_to_another_host,
        }

    def round(self, case: str) -> Round:
        gc.collect()
        gc.disable()  # a collection would count for only one call of a pair
        try:
            return self._cases[case]()
        finally:
            gc.enable()

    def _set_patches(self, *, applied: bool, calls: int = 1) -> None:
        self._patches.set(applied=applied)
        self.instrumented_calls += applied * calls

    def _create(self, messages: Any = QUESTION, **options: Any) -> Any:
        return self._client.chat.completions.create(
            model=_MODEL, messages=messages, temperature=0.7, **options
        )

    def _measure_pairs(
        self, measure: Callable[[], float], count: int, *, calls: int = 1
    ) -> Round:
        pairs: list[dict[bool, float]] = []
        for turn in range(count):
            pair: dict[bool, float] = {}
            for applied in _order(turn):
                self._set_patches(applied=applied, calls=calls)
                pair[applied] = measure()
            pairs.append(pair)
        return _median_round(pairs)

    def _calls(self, messages: Any, count: int) -> Round:
        return self._measure_pairs(
            lambda: _cpu_time(lambda: self._create(messages)), count
        )

    def _requests_to_another_host(self) -> Round:
        """Measures the time per request, in groups: one takes too little time."""
        client = create_http_client()
        request = client.build_request("POST", _OTHER_HOST, json={"input": "text"})

        def measure() -> float:
            return (
                _cpu_time(lambda: [client.send(request) for _ in range(_REQUESTS)])
                / _REQUESTS
            )

        return self._measure_pairs(measure, _CALLS, calls=0)

    def _first_chunks(self) -> Round:
        def measure() -> float:
            start = thread_time()
            chunks = iter(self._create(stream=True, max_tokens=20))
            next(chunks)
            seconds = thread_time() - start
            # Reads to the end, because some peers do not end the span of a stream that
            # is closed early.
            _drain(chunks)
            return seconds * _MICROSECONDS

        return self._measure_pairs(measure, _CALLS)

    def _chunks(self) -> Round:
        """Measures the time per chunk, reading windows of two streams in turn."""
        streams: dict[bool, Iterator[Any]] = {}
        for applied in _PATCH_STATES:
            self._set_patches(applied=applied)
            streams[applied] = iter(self._create(stream=True))
            next(streams[applied])
        windows: list[dict[bool, float]] = []
        for turn in range(CHUNKS // _WINDOW_SIZE - 1):
            window = {
                applied: _cpu_time(
                    lambda applied=applied: _drain(
                        islice(streams[applied], _WINDOW_SIZE)
                    )
                )
                for applied in _order(turn)
            }
            windows.append(window)
        windows.append(
            {
                applied: _cpu_time(lambda applied=applied: _drain(streams[applied]))
                for applied in _PATCH_STATES
            }
        )
        # The mean instead of the median, to include work that is done once for many
        # chunks or at the end.
        sdk, instrumented = (
            sum(window[applied] for window in windows) for applied in _PATCH_STATES
        )
        return Round(sdk / (CHUNKS - 1), (instrumented - sdk) / (CHUNKS - 1))

    def _memory(self) -> Round:
        """Measures the memory in use while a stream is open, without the text."""
        used: dict[bool, float] = {}
        for applied in _PATCH_STATES * 2:  # the first pass fills caches
            self._set_patches(applied=applied)
            chunks = iter(self._create(stream=True))
            _drain(islice(chunks, 10))
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            text_length = 0
            for chunk in islice(chunks, CHUNKS - 20):
                delta = chunk.choices[0].delta
                text_length += len(delta.content or "")
                text_length += len(delta.reasoning_content or "")
            del chunk, delta
            gc.collect()
            used[applied] = (
                tracemalloc.get_traced_memory()[0] - before - text_length * applied
            )
            tracemalloc.stop()
            _drain(chunks)
        return Round(used[False] / _KIB, (used[True] - used[False]) / _KIB)
