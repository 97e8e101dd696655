"""Which pages may act for a user."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.settings import AuthSettings, Settings
from serve_app.auth.origins import Origins, host_name

ORIGINS = Origins(Settings(home=Path("unused"), auth=AuthSettings(cors_origins=("https://Desk.Example/",))))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://gs.test:8000", "gs.test:8000"),
        ("http://gs.test:8001", "gs.test:8000"),
        ("http://GS.test:8001", "gs.TEST:8000"),
        ("https://gs.test", "gs.test"),
        ("http://127.0.0.1:8000", "127.0.0.1:8001"),
        ("http://[::1]:8001", "[::1]:8000"),
        ("https://desk.example", "gs.test:8000"),
    ],
)
def test_our_own_and_listed_pages_are_permitted(origin: str, host: str) -> None:
    assert ORIGINS.permits(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example:8000", "gs.test:8000"),
        ("http://gs.test:9000", "gs.test:8000"),
        ("http://gs.test", "gs.test:8000"),
        ("http://gs.test.evil.example:8001", "gs.test:8000"),
        ("http://evilgs.test:8001", "gs.test:8000"),
        ("http://gs.test@evil.example:8001", "gs.test:8000"),
        ("http://evil@gs.test:8001", "gs.test:8000"),
        ("http://gs.test:8001/path", "gs.test:8000"),
        ("http://gs.test:99999999", "gs.test:8000"),
        ("ftp://gs.test:8001", "gs.test:8000"),
        ("file://", ""),
        ("null", "gs.test:8000"),
        ("", ""),
        ("http://", ""),
        ("http://:8001", ":8000"),
        ("http://desk.example", "gs.test:8000"),
        ("https://sub.desk.example", "gs.test:8000"),
        ("http://[::1", "[::1"),
    ],
)
def test_pages_of_others_are_not(origin: str, host: str) -> None:
    assert not ORIGINS.permits(origin, host)


@given(st.text(), st.text())
def test_any_text_gets_an_answer(origin: str, host: str) -> None:
    assert isinstance(ORIGINS.permits(origin, host), bool)
    name = host_name(host)
    assert name is None or set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-:[]")
