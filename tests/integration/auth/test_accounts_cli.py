"""`goldensignals users` and `keys` on a real PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import structlog
import typer
from typer.testing import CliRunner, Result

from data.contracts.errors import Conflict, InvalidInput, NotFound
from serve_app.cli import accounts

NEW = "a password from stdin"


class Run:
    def __init__(self, app: typer.Typer) -> None:
        self._app = app

    def __call__(self, *args: str, given: str = "") -> Result:
        return CliRunner().invoke(self._app, args, input=given)


@pytest.fixture
def run(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("GS_HOME", str(tmp_path))
    monkeypatch.setenv("GS_POSTGRES__URL", store_url)
    app = typer.Typer()
    accounts.register(app)
    yield Run(app)
    structlog.reset_defaults()  # commands log to the stderr they were started with


def test_a_user_is_added_changed_and_disabled(run: Run, tmp_path: Path) -> None:
    assert run("users", "add", "ada", "--role", "admin", given=NEW + "\n").exit_code == 0
    assert run("users", "add", "bob", "--generate").exit_code == 0
    assert run("users", "set-role", "bob", "trader").exit_code == 0
    assert run("users", "set-password", "bob", given=NEW + "2\n").exit_code == 0
    assert run("users", "disable", "bob").exit_code == 0
    listed = json.loads(run("users", "list", "--json").stdout)["users"]
    assert [(user["name"], user["role"], user["active"]) for user in listed] == [
        ("ada", "admin", True),
        ("bob", "trader", False),
    ]
    back = run("users", "disable", "bob", "--undo", "--json")
    assert json.loads(back.stdout)["active"] is True
    file = tmp_path / "users.csv"
    assert run("users", "list", "--out", str(file)).stdout == ""
    assert pl.read_csv(file)["name"].to_list() == ["ada", "bob"]


def test_what_cannot_be_is_refused_with_a_reason(run: Run) -> None:
    assert run("users", "add", "ada", "--role", "admin", given=NEW + "\n").exit_code == 0
    refused = {
        ("users", "add", "ADA"): Conflict,
        ("users", "add", "a b"): InvalidInput,
        ("users", "disable", "ada"): Conflict,
        ("users", "set-role", "nobody", "viewer"): NotFound,
        ("keys", "add", "ada", "--name", "k", "--scopes", "read,everything"): InvalidInput,
        ("keys", "revoke", "0' OR 1=1"): NotFound,
    }
    for args, kind in refused.items():
        assert isinstance(run(*args, given=NEW + "\n").exception, kind), args
    assert isinstance(run("users", "add", "eve", given="").exception, InvalidInput)
    assert isinstance(run("users", "add", "eve", given="short\n").exception, InvalidInput)
    assert run("users", "set-role", "ada", "king").exit_code == 2


def test_a_key_is_printed_once_and_revoked(run: Run) -> None:
    run("users", "add", "ada", given=NEW + "\n")
    made = json.loads(run("keys", "add", "ada", "--name", "desk", "--days", "0", "--json").stdout)["key"]
    assert made["key"].startswith(f"gs_{made['key_id']}_")
    assert (made["scopes"], made["expires_at"]) == (["read", "stream"], None)
    listed = run("keys", "list").stdout
    assert made["key_id"] in listed
    assert made["key"][-43:] not in listed
    assert run("keys", "revoke", made["key_id"]).exit_code == 0
    assert json.loads(run("keys", "list", "--json").stdout) == {"keys": []}
