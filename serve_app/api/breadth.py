"""Market breadth: how many symbols stand at buy, hold and sell, by sector now and over sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from data.contracts.signals import Action
from data.market.archive import company_facts
from serve_app.api import views
from serve_app.api.inputs import Shown
from serve_app.api.models import BreadthView, SectorBreadth
from serve_app.api.services import Services

OTHER = "Other"  # sector of a symbol of which none is known


async def breadth_of(services: Services, part: Shown, sessions: int) -> BreadthView:
    """Breadth up to the moment that is shown; empty while nothing was decided."""
    history = (
        []
        if part.universe is None
        else await services.signals.breadth(part.universe, sessions=sessions, until=part.until)
    )
    if part.universe is None or not history:
        return BreadthView(as_of=None, sectors=[], history=[])
    newest: datetime = history[-1].as_of
    actions = await services.signals.actions(part.universe, newest)
    returns = await services.archive.day_returns(newest)
    return BreadthView(
        as_of=newest, sectors=by_sector(actions, returns), history=[views.breadth(session) for session in history]
    )


def by_sector(actions: Mapping[str, Action], returns: Mapping[str, float]) -> list[SectorBreadth]:
    """Counts of each sector, by name. `day` is the mean over the members that have a return; null for none."""
    facts = company_facts()
    members: dict[str, list[str]] = {}
    for symbol in actions:
        members.setdefault(facts.get(symbol, (None, None))[1] or OTHER, []).append(symbol)
    found = []
    for sector, symbols in sorted(members.items()):
        said = [actions[symbol] for symbol in symbols]
        moves = [returns[symbol] for symbol in sorted(symbols) if symbol in returns]
        found.append(
            SectorBreadth(
                sector=sector,
                buy=said.count(Action.BUY),
                hold=said.count(Action.HOLD),
                sell=said.count(Action.SELL),
                day=sum(moves) / len(moves) if moves else None,
            )
        )
    return found
