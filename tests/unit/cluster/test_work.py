"""Every piece is done once and committed alone; a failure ends the job with its reason and keeps what was done."""

import asyncio
from collections.abc import Iterator

import pytest

from cluster.work import Piece, work_off
from cluster.workers import Answer, LocalWorkers
from data.contracts.errors import GoldenSignalsError, InvalidInput


def double(shared: int, payload: int) -> int:
    if payload == 13:
        raise InvalidInput("13 is refused")
    return shared * payload


class Several(LocalWorkers):
    """The same, with more pieces under way at once."""

    slots = 4


class Desk:
    """Takes answers, and notices when two come at once."""

    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.busy = self.clash = False

    async def commit(self, piece: Piece, answer: Answer[int]) -> None:
        self.clash |= self.busy
        self.busy = True
        await asyncio.sleep(0)
        assert piece.piece_id not in self.results
        self.results[piece.piece_id] = answer.result
        self.busy = False


def pieces(count: int) -> Iterator[Piece]:
    return (Piece(str(n), n) for n in range(count))


@pytest.mark.parametrize("workers", [LocalWorkers(), Several()])
async def test_every_piece_that_is_not_done_is_done_once(workers: LocalWorkers) -> None:
    desk = Desk()
    await work_off(pieces(12), workers, double, 3, desk.commit, done={"5", "7"}, deadline_s=9)
    assert desk.results == {str(n): 3 * n for n in range(12) if n not in (5, 7)}
    assert not desk.clash


async def test_a_refused_piece_ends_the_job_and_keeps_what_was_done() -> None:
    desk = Desk()
    with pytest.raises(InvalidInput, match="13 is refused"):
        await work_off(pieces(20), LocalWorkers(), double, 1, desk.commit, done=(), deadline_s=9)
    assert sorted(map(int, desk.results)) == list(range(13))


async def test_a_commit_that_is_refused_ends_the_job() -> None:
    async def refuse(piece: Piece, answer: Answer[int]) -> None:
        raise GoldenSignalsError("another process took over")

    with pytest.raises(GoldenSignalsError, match="took over"):
        await work_off(pieces(5), Several(), double, 1, refuse, done=(), deadline_s=9)


async def test_pieces_are_made_only_when_somebody_is_free() -> None:
    made = 0

    def endless() -> Iterator[Piece]:
        nonlocal made
        while True:
            yield Piece(str(made), made)
            made += 1

    async def stop_at_five(piece: Piece, answer: Answer[int]) -> None:
        if answer.result >= 5:
            raise GoldenSignalsError("enough")

    with pytest.raises(GoldenSignalsError, match="enough"):
        await work_off(endless(), Several(), double, 1, stop_at_five, done=(), deadline_s=9)
    assert made < 20
