"""A cursor comes back as the key it was made of; anything else is refused with what to do."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.contracts.errors import InvalidInput
from serve_app.api.paging import cursor, cut, key_of, moment_of

PRINTED = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.floats(allow_nan=False, allow_infinity=False), PRINTED)
def test_a_cursor_comes_back_as_its_key(number: float, text: str) -> None:
    made = cursor((number, text))
    assert key_of(made, float, str) == (number, text)
    assert made == made.strip("=/+ ")


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


NONE_OF_OURS = ["", "!", "%%%", "a", "AAAA", "ﬀ", base64.b64encode(b"[" * 5000).decode()]
OTHER_KEYS: list[object] = [{}, [], ["a"], [1, "a"], [1.5, "a\0"], [1.5, "a", "b"], [None, None], [True, "a"]]


@pytest.mark.parametrize("after", [*NONE_OF_OURS, *map(packed, OTHER_KEYS)])
def test_anything_else_is_refused(after: str) -> None:
    with pytest.raises(InvalidInput, match="`next` of the page before"):
        key_of(after, float, str)


@pytest.mark.parametrize("text", ["", "yesterday", "2018-02-05", "2018-02-05T21:00:00", "1e9"])
def test_a_time_in_a_cursor_has_a_zone(text: str) -> None:
    with pytest.raises(InvalidInput, match="`next` of the page before"):
        moment_of(text)


@given(st.lists(st.integers(), unique=True), st.integers(min_value=1, max_value=5))
def test_pages_put_together_are_the_list(rows: list[int], limit: int) -> None:
    rows.sort()
    read: list[int] = []
    after: str | None = None
    while True:
        key = key_of(after, str)
        rest = [row for row in rows if key is None or row > int(key[0])][: limit + 1]
        page, after = cut(rest, limit, lambda row: (str(row),))
        read += page
        if after is None:
            break
    assert read == rows
