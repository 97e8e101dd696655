"""The table of rights."""

from itertools import chain, combinations

import pytest

from serve_app.auth.access import ROLES, Permission, Principal


def test_each_role_may_all_that_the_one_below_may() -> None:
    rights = [Principal("u", "n", role).permissions for role in ROLES]
    assert rights[0] < rights[1] < rights[2] == set(Permission)


@pytest.mark.parametrize("role", ROLES)
def test_scopes_narrow_a_role_and_never_widen_it(role: str) -> None:
    found: list[Permission] = list(Permission)
    whole = Principal("u", "n", role).permissions  # type: ignore[arg-type]
    for scopes in chain.from_iterable(combinations(found, size) for size in range(len(found) + 1)):
        key = Principal("u", "n", role, frozenset(scopes), "k")  # type: ignore[arg-type]
        assert key.permissions == whole & set(scopes)
