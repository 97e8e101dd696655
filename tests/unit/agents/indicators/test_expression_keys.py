"""Whatever the groups are kept as, the values are those of Polars' own groups."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from agents.indicators import expressions

GROUPS = [[0, 0, 0, 1, 1, 2], [0, 1, 0, 1, 2, 2], [3, 3, 3, 3, 3, 3], [0, 1, 2, 3, 4, 5], []]
NAMES = ["A", "a name longer than twelve bytes", "another name longer than twelve", "", "B", "BRK.B"]
KEYS = {
    "short and long strings": [pl.Series(NAMES, dtype=pl.String)],
    "strings and null": [pl.Series([None, *NAMES[:5]], dtype=pl.String)],
    "categories": [pl.Series(NAMES, dtype=pl.Categorical)],
    "enumeration": [pl.Series(NAMES, dtype=pl.Enum(NAMES))],
    "integers": [pl.Series([5, 1, 3, 4, 2, 0])],
    "wide integers": [pl.Series([5, 1, 3, 4, 2, 0], dtype=pl.Int128)],
    "decimals": [pl.Series([Decimal(f"{n}.5") for n in range(6)])],
    "floats with NaN": [pl.Series([1.0, float("nan"), 2.0, 0.0, 3.0, 4.0])],
    "dates": [pl.Series([date(2024, 1, 1) + timedelta(n) for n in range(6)])],
    "binary": [pl.Series([name.encode() for name in NAMES])],
}


@pytest.mark.parametrize("groups", GROUPS, ids=str)
@pytest.mark.parametrize("kind", KEYS)
def test_groups_of_any_kind_give_what_polars_own_groups_give(kind: str, groups: list[int]) -> None:
    numbers = np.repeat(np.array(groups, dtype=np.int64), 7)
    keys = KEYS[kind][0].gather(numbers)
    frame = pl.DataFrame({"key": keys, "close": np.random.default_rng(7).normal(100.0, 1.0, numbers.size)})
    pieces = [frame, pl.concat([frame, frame], rechunk=False), frame.slice(3)]
    for bars in pieces:
        quick = bars.select(expressions.sma("close", 3).over("key"))
        plain = bars.select(expressions.sma("close", 3).over(pl.col("key")))
        assert quick.equals(plain)
