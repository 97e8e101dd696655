"""Whoever misses a cancellation is told again."""

import asyncio

import pytest

from data.cancelling import end


async def test_a_task_that_loses_its_first_cancellation_ends_all_the_same() -> None:
    lost: list[bool] = []

    async def loses() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:  # as `wait_for` of Python 3.11 may
                if lost:
                    raise
                lost.append(True)

    task = asyncio.create_task(loses())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end([task])
    assert lost
    assert task.cancelled()


async def test_tasks_that_have_ended_or_failed_are_left_alone() -> None:
    async def fails() -> None:
        raise ValueError("a bug")

    done, failed = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(fails())
    await asyncio.wait([done, failed])
    await end([done, failed])
    await end([])
    with pytest.raises(ValueError, match="a bug"):
        failed.result()
