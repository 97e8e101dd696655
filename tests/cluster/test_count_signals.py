"""The counting script that other tests rely on sees what is lost, doubled or different."""

from collections.abc import Iterator
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.cluster.installation import Installation, count_signals

_TABLES = ("signal", "vote", "event", "signal_default", "vote_default", "event_default")
_DAMAGE: dict[str, LiteralString] = {
    "a lost signal": "DELETE FROM signal WHERE signal_id = (TABLE one)",
    "a doubled signal": "INSERT INTO signal SELECT * FROM signal WHERE signal_id = (TABLE one)",
    "a lost event": "DELETE FROM event WHERE body->'signal'->>'signal_id' = (TABLE one)",
    "a doubled event": "INSERT INTO event SELECT * FROM event WHERE body->'signal'->>'signal_id' = (TABLE one)",
    "a lost vote": "DELETE FROM vote WHERE agent = 'trend' AND signal_id = (TABLE one)",
    "a doubled vote": "INSERT INTO vote SELECT * FROM vote WHERE agent = 'trend' AND signal_id = (TABLE one)",
    "a changed vote": "UPDATE vote SET score = -score WHERE agent = 'trend' AND signal_id = (TABLE one)",
    "a changed signal": "UPDATE signal SET body = jsonb_set(body, '{horizon}', '6') WHERE signal_id = (TABLE one)",
    "a changed column": "UPDATE signal SET score = score + 1e-15 WHERE signal_id = (TABLE one)",
    "a missing first revision": """WITH late AS (UPDATE signal SET revision = 2 WHERE signal_id = (TABLE one)
        RETURNING signal_id), votes AS (UPDATE vote SET revision = 2 WHERE signal_id IN (SELECT * FROM late))
        UPDATE event SET body = jsonb_set(body, '{revision}', '2')
        WHERE body->'signal'->>'signal_id' IN (SELECT * FROM late)""",
    "a row in a default partition": "INSERT INTO event_default SELECT * FROM event LIMIT 1",
}


@pytest.fixture
def copy_url(system: Installation) -> Iterator[str]:
    """What the system has stored, copied without keys or triggers, so that it can be damaged."""
    schema = f"copy_{uuid4().hex}"
    with psycopg.connect(system.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {0}; SET search_path TO {0}").format(sql.Identifier(schema)))
        for table in map(sql.Identifier, _TABLES):
            connection.execute(sql.SQL("CREATE TABLE {0} AS TABLE public.{0}").format(table))
        connection.execute("CREATE TABLE one AS SELECT min(signal_id) FROM signal")
        yield f"{system.database_url}&options=-csearch_path%3D{schema}"
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def test_count_of_an_undamaged_copy_finds_nothing_wrong(copy_url: str, system: Installation) -> None:
    ended = count_signals(copy_url, agents=None)
    assert (ended.code, ended.document["discrepancies"]) == (0, 0), ended.out
    assert ended.document == system.counted()
    assert ended.document["signals"] >= 505


@pytest.mark.parametrize("damage", _DAMAGE.values(), ids=_DAMAGE)
def test_count_fails_for(copy_url: str, damage: LiteralString) -> None:
    with psycopg.connect(copy_url) as connection:
        assert connection.execute(damage).rowcount == 1
    ended = count_signals(copy_url, agents=None)
    assert ended.code == 1
    assert ended.document["discrepancies"] > 0


def test_count_fails_for_signals_that_speak_of_too_few_agents(copy_url: str) -> None:
    ended = count_signals(copy_url, agents=99)
    assert ended.code == 1
    assert ended.document["discrepancies"] == ended.document["revisions"]
