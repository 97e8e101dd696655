"""A universe has one stable id for its symbols, and a wrong name is answered with the right one."""

import hashlib
from pathlib import Path

import pytest

from data.contracts.errors import InvalidInput
from data.market.sample import companies
from data.market.universe import resolve

HELD = ("AAPL", "BRK.B", "ETH/BTC", "MSFT")


def test_list_is_sorted_without_repeats_and_its_id_speaks_of_the_symbols() -> None:
    universe = resolve(" MSFT,AAPL,, MSFT", HELD)
    assert universe.symbols == ("AAPL", "MSFT")
    assert universe.id == "list:" + hashlib.sha256(b"AAPL\nMSFT").hexdigest()[:12]
    assert universe == resolve("AAPL,MSFT", reversed(HELD))  # type: ignore[arg-type]


def test_symbols_may_look_like_file_names() -> None:
    assert resolve("ETH/BTC,BRK.B", HELD).symbols == ("BRK.B", "ETH/BTC")


def test_list_of_all_members_is_longer_than_a_file_name_and_still_a_list() -> None:
    members = companies()["symbol"].to_list()
    assert resolve(",".join(members), members).id.split(":")[1] == resolve("@sp500", members).id.split(":")[1]


def test_no_text_means_all_symbols() -> None:
    assert resolve(None, HELD).symbols == HELD


def test_file_gives_one_symbol_a_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("# my list\nMSFT\n\nAAPL  # the fruit\n")
    assert resolve(str(path), HELD) == resolve("AAPL,MSFT", HELD)


def test_named_universe_is_what_the_bars_hold_of_it() -> None:
    members = companies()["symbol"].to_list()
    whole = resolve("@sp500", members)
    assert len(whole.symbols) == 505
    assert whole.missing == ()
    assert whole.id.startswith("sp500:")
    part = resolve("@sp500", HELD)
    assert part.symbols == ("AAPL", "BRK.B", "MSFT")
    assert len(part.missing) == 502
    assert part.id != whole.id


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("@sp50", r"no universe @sp50; did you mean @sp500\?"),
        ("@nikkei", "no universe @nikkei; known: @sp500"),
        ("sp500", r"no symbol 'sp500' in these bars; did you mean @sp500\?"),
        ("AAPL,aapl", r"no symbol 'aapl' in these bars; did you mean AAPL\?"),
        ("MSFFT", r"no symbol 'MSFFT' in these bars; did you mean MSFT\?"),
        (" , ", "no symbol was given"),
        ("none.txt", "no file none.txt"),
    ],
)
def test_wrong_text_is_answered_with_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        resolve(text, HELD)


def test_named_universe_without_one_symbol_in_the_bars_is_refused() -> None:
    with pytest.raises(InvalidInput, match="hold no symbol of @sp500; they hold ETH/BTC"):
        resolve("@sp500", ["ETH/BTC"])


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="cannot be read as text"):
        resolve(str(tmp_path / "x.txt"), HELD)
