"""Access tokens and the texts of keys, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.clock import ManualClock
from data.contracts.errors import InvalidInput, Unauthenticated
from serve_app.auth.tokens import AccessTokens, new_key, split_key

USER, LOGIN = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
CLOCK = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))
TOKENS = AccessTokens("s" * 64, minutes=10, clock=CLOCK)


def test_a_token_is_good_for_its_minutes_and_not_a_second_longer() -> None:
    clock = ManualClock(datetime(2026, 1, 5, tzinfo=UTC))
    tokens = AccessTokens("s" * 64, minutes=10, clock=clock)
    token = tokens.issue(USER, LOGIN, 3)
    clock.set(clock.now() + timedelta(seconds=599))
    claims = tokens.read(token)
    assert (claims.sub, claims.sid, claims.epoch, claims.exp - claims.iat) == (USER, LOGIN, 3, 600)
    clock.set(clock.now() + timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.read(token)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidInput, match="32 bytes"):
        AccessTokens("short", minutes=10, clock=CLOCK)


@given(st.text())
def test_any_other_text_is_no_token_and_no_key(text: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.read(text)
    with pytest.raises(Unauthenticated):
        split_key(text)


@given(st.integers(min_value=0), st.characters())
def test_a_token_with_one_character_changed_is_refused(place: int, character: str) -> None:
    token = TOKENS.issue(USER, LOGIN, 1)
    at = place % (len(token) - 1)  # the last character of base64 has bits that mean nothing
    if token[at] != character:
        with pytest.raises(Unauthenticated):
            TOKENS.read(token[:at] + character + token[at + 1 :])


def test_a_key_is_split_into_what_it_was_made_of() -> None:
    key_id, secret, text = new_key()
    assert split_key(text) == (key_id, secret)
