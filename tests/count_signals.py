"""Counts what is stored and says whether every signal stands there exactly once, with its votes and its event.

    python tests/count_signals.py postgresql://... [--agents N]

Independent on purpose: its own SQL, and nothing of the project is imported, so it cannot share its mistakes.
Prints one JSON object: counts, and the first discrepancies as sentences. Exit code 0: all fits, 1: something is lost,
doubled or different.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SIGNALS: LiteralString = """SELECT signal_id, revision, input_hash, symbol, as_of::text, action, score, complete, body
    FROM signal ORDER BY signal_id, revision"""
_EVENTS: LiteralString = """SELECT body->'signal'->>'signal_id', (body->>'revision')::integer, as_of::text, routing_key,
    body->'signal' FROM event WHERE type LIKE 'signal.emitted.%' ORDER BY position"""
_VOTES: LiteralString = "SELECT signal_id, revision, agent, score, confidence, weight FROM vote"
_STRAYS: LiteralString = """SELECT (SELECT count(*) FROM signal_default) + (SELECT count(*) FROM vote_default)
    + (SELECT count(*) FROM event_default)"""

_SHOWN = 20

Key = tuple[str, int]  # signal_id, revision
VoteRow = tuple[str, float | None, float | None, float]  # agent, score, confidence, weight


def count(connection: psycopg.Connection[tuple[Any, ...]], agents: int | None) -> dict[str, Any]:
    """Counts and discrepancies of one moment. agents: how many were asked for every signal; None: not checked."""
    with connection.transaction():
        connection.execute(_SNAPSHOT)
        signals = connection.execute(_SIGNALS).fetchall()
        events = connection.execute(_EVENTS).fetchall()
        votes = connection.execute(_VOTES).fetchall()
        (strays,) = connection.execute(_STRAYS).fetchone() or (0,)
    wrong = [f"{strays} rows lie in default partitions"] if strays else []
    wrong += _revisions(signals)
    wrong += _told(signals, events)
    wrong += _voted(signals, votes, agents)
    return {
        "signals": len({row[0] for row in signals}),
        "revisions": len(signals),
        "incomplete": sum(not row[7] for row in signals),
        "events": len(events),
        "votes": len(votes),
        "discrepancies": len(wrong),
        "first": wrong[:_SHOWN],
    }


def _revisions(signals: Iterable[tuple[Any, ...]]) -> list[str]:
    """Revisions of a signal count 1, 2, 3; one input has one revision; columns say what the body says."""
    wrong = []
    numbers: dict[str, list[int]] = defaultdict(list)
    inputs: dict[str, list[str]] = defaultdict(list)
    for signal_id, revision, input_hash, symbol, _, action, score, complete, body in signals:
        numbers[signal_id].append(revision)
        inputs[signal_id].append(input_hash)
        columns = (signal_id, input_hash, symbol, action, score, complete)
        told = (*(body[name] for name in ("signal_id", "input_hash", "symbol", "action", "score")), not body["missing"])
        if columns != told:
            wrong.append(f"signal {_short((signal_id, revision))}: the columns say {columns}, the body {told}")
    for signal_id, found in numbers.items():
        if found != [*range(1, len(found) + 1)]:
            wrong.append(f"signal {signal_id[:12]} has the revisions {found}")
        if len(set(inputs[signal_id])) != len(found):
            wrong.append(f"signal {signal_id[:12]} has one input in two revisions")
    return wrong


def _told(signals: Iterable[tuple[Any, ...]], events: Iterable[tuple[Any, ...]]) -> list[str]:
    """Every revision has one event, which holds the same signal; no event tells of anything else."""
    wrong = []
    told: dict[Key, list[tuple[Any, ...]]] = defaultdict(list)
    for signal_id, revision, *rest in events:
        told[signal_id, revision].append(tuple(rest))
    for signal_id, revision, _, symbol, as_of, _, _, _, body in signals:
        found = told.pop((signal_id, revision), [])
        if len(found) != 1:
            wrong.append(f"signal {_short((signal_id, revision))} has {len(found)} events")
            continue
        key = "upload" if body["universe"].startswith("upload:") else "consensus"  # somebody's own bars are told apart
        if found[0] != (as_of, f"signals.{key}.{symbol}", body):
            wrong.append(f"signal {_short((signal_id, revision))}: its event says something else")
    return wrong + [f"{len(rows)} events tell of {_short(key)}, which is not stored" for key, rows in told.items()]


def _voted(signals: Iterable[tuple[Any, ...]], votes: Iterable[tuple[Any, ...]], agents: int | None) -> list[str]:
    """The votes of every revision are those of its body, each once; with the missing agents they are all agents."""
    wrong = []
    cast: dict[Key, list[VoteRow]] = defaultdict(list)
    for signal_id, revision, agent, score, confidence, weight in votes:
        cast[signal_id, revision].append((agent, score, confidence, weight))
    for signal_id, revision, *_, body in signals:
        found = sorted(cast.pop((signal_id, revision), []), key=lambda row: row[0])
        told = [(v["agent"], v["score"], v["confidence"], float(v["weight"])) for v in body["votes"]]
        if found != sorted(told):
            wrong.append(
                f"signal {_short((signal_id, revision))} has {len(found)} votes, its body {len(told)} or others"
            )
        if agents is not None and len(told) + len(body["missing"]) != agents:
            wrong.append(f"signal {_short((signal_id, revision))} speaks of {len(told)} agents, not of {agents}")
    return wrong + [f"{len(rows)} votes are for {_short(key)}, which is not stored" for key, rows in cast.items()]


def _short(key: Key) -> str:
    return f"{key[0][:12]} revision {key[1]}"


def main() -> int:
    """Count, print, and answer with the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="postgresql://...")
    parser.add_argument("--agents", type=int, help="how many agents are asked for every signal")
    asked = parser.parse_args()
    with psycopg.connect(asked.url, connect_timeout=10) as connection:
        found = count(connection, asked.agents)
    print(json.dumps(found, indent=2))
    return 1 if found["discrepancies"] else 0


if __name__ == "__main__":
    sys.exit(main())
