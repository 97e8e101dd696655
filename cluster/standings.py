"""Where one agent stands in the histories it follows, by the content of their bars: what an actor keeps between calls.

A standing is found by the hash of the bars that led to it, so it can be outdated or gone, but never wrong; whoever
asks for one that is not here sends the whole history once. Nothing is written: it can all be made again.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from agents.agent import Agent, VoteBlock
from agents.following import Standing, begin, follow
from data.contracts.panel import Panel

_KEPT = 2  # of the session before and of this one: a session that is asked for again is answered from memory


class Standings:
    """The newest standings of one agent, with the votes that were given there."""

    def __init__(self, agent: Agent[Any]) -> None:
        self._agent = agent
        self._known: OrderedDict[str, tuple[VoteBlock, Standing]] = OrderedDict()

    def begin(self, key: str, panel: Panel) -> VoteBlock:
        """Votes on the newest bar of every symbol of a whole history, which is known by `key` from now on."""
        if key not in self._known:
            block, standing = begin(self._agent, panel)
            self._keep(key, block.take(panel.last_rows), standing)
        return self._known[key][0]

    def follow(self, before: str, after: str, new: Panel) -> VoteBlock | None:
        """Votes on the newest bar of every symbol at `after`, which is `before` and the new bars.

        None when neither is known: then `begin`.
        """
        if after not in self._known:
            if before not in self._known:
                return None
            self._keep(after, *follow(self._agent, self._known[before][1], new))
        return self._known[after][0]

    def _keep(self, key: str, block: VoteBlock, standing: Standing) -> None:
        self._known[key] = (block, standing)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
