"""Any sequence of calls on two spools gives out each request once, oldest first."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from .spools import make_request, open_spool

SPOOLS = st.integers(0, 1)


class SpoolMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.spools = [self.open(), self.open()]
        self.count = 0
        self.unclaimed = []
        # Requests with the spool that has claimed them, and their text.
        self.claimed = []
        self.attempts = {}
        # Parts of a request are inserted later than requests that are younger.
        self.insertion = []

    def open(self):
        return self.stack.enter_context(open_spool(self.folder, max_bytes=60))

    def teardown(self):
        self.stack.close()

    @rule(number=SPOOLS, size=st.integers(4, 20))
    def put(self, number, size):
        self.count += 1
        text = f"{self.count:04}".ljust(size, "x")
        drops = self.drop_count()
        queued = self.spools[number].put(make_request(text))
        self.claimed.append((number, queued, text))
        self.attempts[text] = 0
        self.insertion.append(text)
        assert self.drop_count() == drops + self.evict()

    def drop_count(self):
        return sum(sum(spool.drops.values()) for spool in self.spools)

    def evict(self):
        """Requests that are being sent stay, also if the spool is then too large."""
        count = 0
        while self.unclaimed and self.stored_bytes() > 60:
            count += 1
            self.unclaimed.remove(min(self.unclaimed, key=self.insertion.index))
        return count

    def stored_bytes(self):
        return sum(map(len, self.unclaimed)) + sum(
            len(text) for *_, text in self.claimed
        )

    @rule(number=SPOOLS)
    def take(self, number):
        queued = self.spools[number].take()
        if not self.unclaimed:
            assert queued is None
            return
        text = min(self.unclaimed)
        self.unclaimed.remove(text)
        assert queued.request == make_request(text)
        assert queued.attempts == self.attempts[text]
        self.claimed.append((number, queued, text))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def release(self, data):
        claim = number, queued, text = data.draw(st.sampled_from(self.claimed))
        self.attempts[text] = queued.attempts + 1
        drops = self.drop_count()
        self.spools[number].release(queued, attempts=self.attempts[text], delay=0)
        self.claimed.remove(claim)
        self.unclaimed.append(text)
        assert self.drop_count() == drops + self.evict()

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), is_divided=st.booleans())
    def replace(self, data, is_divided):
        claim = number, queued, text = data.draw(st.sampled_from(self.claimed))
        parts = [text + "a", text + "b"] if is_divided and len(text) == 4 else []
        if self.stored_bytes() + 6 > 60:
            parts = []
        self.spools[number].replace(queued, [make_request(part) for part in parts])
        self.claimed.remove(claim)
        self.unclaimed += parts
        self.attempts |= dict.fromkeys(parts, queued.attempts)
        self.insertion += parts

    @rule(number=SPOOLS)
    def reopen(self, number):
        self.spools[number].close()
        self.spools[number] = self.open()
        self.unclaimed += [text for owner, _, text in self.claimed if owner == number]
        self.claimed = [claim for claim in self.claimed if claim[0] != number]

    @invariant()
    def the_counts_are_right(self):
        for spool in self.spools:
            assert spool.state()[:2] == (
                len(self.unclaimed) + len(self.claimed),
                self.stored_bytes(),
            )
            assert spool.seconds_until_due() == (0 if self.unclaimed else None)
        assert self.spools[0]._requests._access.run(lambda t: t.byte_count()) == (
            self.stored_bytes()
        )


SpoolMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
TestSpool = SpoolMachine.TestCase
