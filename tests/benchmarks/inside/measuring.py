"""One round of a case: the same work bare and observed, as neighbours."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from dataclasses import dataclass
from itertools import islice
from statistics import median
from time import thread_time
from typing import TYPE_CHECKING, Any, Final

from .wire import CHUNKS, QUESTION, client, history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import openai

    from .patches import Patches

_CALLS: Final = 30
_LONG_CALLS: Final = 6
_WINDOW: Final = 50
_MODEL: Final = "deepseek-flash"
_LONG: Final = history(100)
_MICROSECONDS: Final = 1e6
_KIB: Final = 1024
_BOTH: Final = (False, True)  # bare, observed
_drain: Final = deque[Any](maxlen=0).extend


@dataclass(frozen=True)
class Round:
    """What the bare SDK took, and what was added: the middle of all pairs."""

    bare: float
    added: float


def _round(pairs: list[dict[bool, float]]) -> Round:
    return Round(
        median(pair[False] for pair in pairs),
        median(pair[True] - pair[False] for pair in pairs),
    )


def _order(turn: int) -> tuple[bool, bool]:
    """Bare or observed first: neither is always the second of a pair."""
    return _BOTH if turn % 2 else (True, False)


def _timed(work: Callable[[], object]) -> float:
    started = thread_time()
    work()
    return (thread_time() - started) * _MICROSECONDS


class Measuring:
    """Whatever a case asks of the SDK, with `patches` off and on."""

    def __init__(self, patches: Patches) -> None:
        self._patches = patches
        self._client: openai.OpenAI = client()
        self.observed_calls = 0
        self._cases: dict[str, Callable[[], Round]] = {
            "call": lambda: self._calls(QUESTION, _CALLS),
            "history": lambda: self._calls(_LONG, _LONG_CALLS),
            "first_chunk": self._first_chunks,
            "chunk": self._chunks,
            "memory": self._memory,
        }

    def round(self, case: str) -> Round:
        gc.collect()
        gc.disable()  # its moment would hit one of two neighbours
        try:
            return self._cases[case]()
        finally:
            gc.enable()

    def _switch(self, *, on: bool) -> None:
        self._patches.set(on=on)
        self.observed_calls += on

    def _create(self, messages: Any = QUESTION, **options: Any) -> Any:
        return self._client.chat.completions.create(
            model=_MODEL, messages=messages, temperature=0.7, **options
        )

    def _pairs(self, work: Callable[[], float], count: int) -> Round:
        pairs: list[dict[bool, float]] = []
        for turn in range(count):
            pair: dict[bool, float] = {}
            for on in _order(turn):
                self._switch(on=on)
                pair[on] = work()
            pairs.append(pair)
        return _round(pairs)

    def _calls(self, messages: Any, count: int) -> Round:
        return self._pairs(lambda: _timed(lambda: self._create(messages)), count)

    def _first_chunks(self) -> Round:
        def work() -> float:
            started = thread_time()
            chunks = iter(self._create(stream=True, max_tokens=20))
            next(chunks)
            taken = thread_time() - started
            # Read out: not every peer ends the span of a stream that is left early.
            _drain(chunks)
            return taken * _MICROSECONDS

        return self._pairs(work, _CALLS)

    def _chunks(self) -> Round:
        """Two streams in step, a window of each in turn: the price of a chunk."""
        streams: dict[bool, Iterator[Any]] = {}
        for on in _BOTH:
            self._switch(on=on)
            streams[on] = iter(self._create(stream=True))
            next(streams[on])
        windows: list[dict[bool, float]] = []
        for turn in range(CHUNKS // _WINDOW - 1):
            window = {
                on: _timed(lambda on=on: _drain(islice(streams[on], _WINDOW)))
                for on in _order(turn)
            }
            windows.append(window)
        windows.append({on: _timed(lambda on=on: _drain(streams[on])) for on in _BOTH})
        # The sum, not the middle: who works once in many chunks, or at the end, works
        # for all of them.
        bare, observed = (sum(one[on] for one in windows) for on in _BOTH)
        return Round(bare / (CHUNKS - 1), (observed - bare) / (CHUNKS - 1))

    def _memory(self) -> Round:
        """KiB kept while a stream is open, beyond the text that has arrived."""
        kept: dict[bool, float] = {}
        for on in _BOTH * 2:  # the first time fills caches
            self._switch(on=on)
            chunks = iter(self._create(stream=True))
            _drain(islice(chunks, 10))
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
            text = 0
            for chunk in islice(chunks, CHUNKS - 20):
                delta = chunk.choices[0].delta
                text += len(delta.content or "")
                text += len(delta.reasoning_content or "")
            del chunk, delta
            gc.collect()
            kept[on] = tracemalloc.get_traced_memory()[0] - before - text * on
            tracemalloc.stop()
            _drain(chunks)
        return Round(kept[False] / _KIB, (kept[True] - kept[False]) / _KIB)
