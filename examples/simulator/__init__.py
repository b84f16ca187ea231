"""A local stand-in for api.deepseek.com over real HTTP, without a key and without cost.

    from openai import OpenAI
    from examples.simulator import Simulator

    with Simulator() as simulator:
        client = OpenAI(base_url=simulator.base_url, api_key="any")
        client.chat.completions.create(
            model="deepseek-flash",
            messages=[{"role": "user", "content": "How many r's in strawberry?"}],
        )
        simulator.exchanges[-1].usage

`python -m examples.simulator --help` describes the command line and the faults that
can be requested.
"""

from __future__ import annotations

from ._exchange import Exchange
from ._faults import Fault
from ._recorded_response import RecordedResponse
from ._simulator import Simulator

__all__ = ["Exchange", "Fault", "RecordedResponse", "Simulator"]
