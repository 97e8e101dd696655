"""The short memory: how old an answer may be, and what happens when many ask at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from data.clock import ManualClock
from serve_app.auth.recent import Recent


class Asked:
    """A question that counts how often it was put, and answers when told to."""

    def __init__(self, answer: str | None = "yes") -> None:
        self.times, self.answer, self.put, self.go = 0, answer, asyncio.Event(), asyncio.Event()
        self.go.set()

    async def __call__(self) -> str | None:
        self.times += 1
        self.put.set()
        await self.go.wait()
        return self.answer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 5, tzinfo=UTC))


async def test_an_answer_is_used_for_two_seconds(clock: ManualClock) -> None:
    recent, ask = Recent[str](clock), Asked()
    for seconds, times in ((0.0, 1), (1.9, 1), (0.2, 2)):
        clock.set(clock.now() + timedelta(seconds=seconds))
        assert await recent.get("k", ask) == "yes"
        assert ask.times == times


async def test_that_something_is_absent_is_asked_again(clock: ManualClock) -> None:
    recent, ask = Recent[str](clock), Asked(None)
    assert [await recent.get("k", ask) for _ in range(3)] == [None] * 3
    assert ask.times == 3


async def test_many_who_ask_together_cost_one_question_and_one_who_leaves_costs_the_others_nothing(
    clock: ManualClock,
) -> None:
    recent, ask = Recent[str](clock), Asked()
    ask.go.clear()
    waiting = [asyncio.create_task(recent.get("k", ask)) for _ in range(50)]
    await ask.put.wait()
    waiting[0].cancel()
    ask.go.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == ["yes"] * 49
    assert ask.times == 1


async def test_an_answer_from_before_a_change_is_not_remembered(clock: ManualClock) -> None:
    recent, old, new = Recent[str](clock), Asked("old"), Asked("new")
    old.go.clear()
    waiting = asyncio.create_task(recent.get("k", old))
    await old.put.wait()
    recent.forget()
    assert await recent.get("k", new) == "new"
    old.go.set()
    assert await waiting == "old"
    assert await recent.get("k", new) == "new"


async def test_a_failure_is_passed_on_and_not_remembered(clock: ManualClock) -> None:
    recent, ask = Recent[str](clock), Asked()

    async def fail() -> str:
        raise OSError("down")

    with pytest.raises(OSError, match="down"):
        await recent.get("k", fail)
    assert await recent.get("k", ask) == "yes"
