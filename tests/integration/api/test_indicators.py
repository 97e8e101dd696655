"""The registry and its values over HTTP: numbers, choices by name, a second symbol."""

from typing import Any

import numpy as np
import pytest

from agents.indicators import get, registered
from tests.integration.api.site import Site

VALUES = "/v1/indicators/{}/values"


async def test_the_registry_says_what_each_indicator_takes_and_gives(site: Site) -> None:
    rows = {row["name"]: row for row in await site.json("/v1/indicators")}
    assert list(rows) == list(registered())
    atr = rows["atr"]
    assert atr["params"]["window"] == {"default": 14.0, "low": 1.0, "high": 100_000.0, "choices": None}
    assert atr["params"]["smoothing"]["default"] == "wilder"
    assert atr["params"]["smoothing"]["choices"][:3] == ["wilder", "sma", "ema"]
    assert (atr["units"], atr["engine"], rows["cdldoji"]["engine"]) == (["move"], "numba", "talib")
    assert all(len(row["units"]) == len(row["outputs"]) and row["formula"] for row in rows.values())


async def test_every_name_and_choice_of_the_registry_can_be_written_in_an_address(site: Site) -> None:
    async with site.client() as client:
        for entry in registered().values():
            answer = await client.get(VALUES.format(entry.name), params={"symbol": "NOPE"})
            assert (answer.status_code, answer.json()["detail"]) == (404, "there is no symbol 'NOPE'")
            for name, spec in entry.row()["params"].items():
                for choice in spec["choices"] or ():
                    params = {"symbol": "NOPE", "param": f"{name}:{choice}"}
                    answer = await client.get(VALUES.format(entry.name), params=params)
                    assert answer.status_code == 404, answer.text


async def test_a_choice_by_name_gives_the_values_of_that_variant(site: Site) -> None:
    found = await site.json(VALUES.format("atr"), symbol="AAPL", param=["timeperiod:7", "smoothing:sma"])
    assert found["params"] == {"window": 7.0, "smoothing": "sma"}
    bars = site.bars.panel.of("AAPL").until(site.sessions[-4])
    wanted = get("atr")(bars.high, bars.low, bars.close, 7, "sma")
    given = np.array([np.nan if value is None else value for value in found["outputs"]["atr"]])
    assert given.tobytes() == wanted.tobytes()


async def test_an_indicator_of_two_symbols_reads_the_second_ones_closes(site: Site) -> None:
    found = await site.json(VALUES.format("sub"), symbol="AAPL", other="KO")
    until = site.sessions[-4]
    first, second = site.bars.panel.of("AAPL").until(until), site.bars.panel.of("KO").until(until)
    assert (found["symbol"], found["other"]) == ("AAPL", "KO")
    assert found["outputs"]["sub"] == (first.close - second.close).tolist()


@pytest.mark.parametrize(
    ("name", "params", "status", "words"),
    [
        ("rsii", {}, 404, "there is no indicator 'rsii'; did you mean rsi"),
        ("rsi", {"param": "windows:14"}, 422, "rsi has no parameter 'windows'; it has: window"),
        ("rsi", {"param": "window:0"}, 422, "rsi window must lie between 1 and 100000 bars, not 0"),
        ("rsi", {"param": "window:14.5"}, 422, "rsi window must be a whole number, not 14.5"),
        ("rsi", {"param": "window:wilder"}, 422, "rsi window must be a number, not 'wilder'"),
        ("atr", {"param": "smoothing:hull"}, 422, "atr smoothing must be one of wilder, sma, ema"),
        ("atr", {"param": ["window:7", "window:8"]}, 422, "the parameter window was given twice"),
        ("atr", {"param": ["window:7", "timeperiod:8"]}, 422, "atr was given window twice"),
        ("rsi", {"param": "window=14"}, 422, "written name:number or name:choice"),
        ("rsi", {"param": "window:1e3"}, 422, "written name:number or name:choice"),
        ("beta", {}, 422, "beta compares two symbols; name the second one, as in other=MSFT"),
        ("beta", {"other": "NOPE"}, 404, "there is no symbol 'NOPE'"),
        ("rsi", {"other": "KO"}, 422, "rsi reads one symbol only; leave out other=KO"),
    ],
)
async def test_what_does_not_fit_is_refused_with_what_does(
    site: Site, name: str, params: dict[str, Any], status: int, words: str
) -> None:
    answer = await site.get(VALUES.format(name), symbol="AAPL", **params)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
