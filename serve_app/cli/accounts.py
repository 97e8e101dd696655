"""Verbs for accounts and API keys: `users …`, `keys …`. For the operator: who can read the home may do anything here.

Passwords are asked for, read from standard input or made up; never an argument, which other users of the machine see.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer
from rich.table import Table
from rich.text import Text

from data.contracts.errors import InvalidInput
from serve_app.cli.output import AsJson, Out, done, require_format, say, show

if TYPE_CHECKING:
    from data.store.accounts import Account, ApiKey
    from serve_app.auth.accounts import Accounts

T = TypeVar("T")
RoleName = Literal["viewer", "trader", "admin"]
Name = Annotated[str, typer.Argument(help="User name.")]
MakeUp = Annotated[bool, typer.Option("--generate", help="Make up a password and print it once.")]

users = typer.Typer(name="users", help="Accounts of the dashboard and the API.", no_args_is_help=True)
keys = typer.Typer(name="keys", help="API keys of programs.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs of this module."""
    app.add_typer(users)
    app.add_typer(keys)


@users.command("list")
def list_users(as_json: AsJson = False, out: Out = None) -> None:
    """All accounts."""
    require_format(out)
    found = _run(lambda accounts: accounts.users())
    _show("users", [_user(account) for account in found], as_json=as_json, out=out)


@users.command("add")
def add_user(
    name: Name,
    role: Annotated[RoleName, typer.Option(help="What the user may do.")] = "viewer",
    generate: MakeUp = False,
    as_json: AsJson = False,
) -> None:
    """Add an account. Its password is asked for, or read from standard input."""
    password = _password(generate)
    made = _run(lambda accounts: accounts.add_user(name, password, role))
    _show("users", [_user(made)], as_json=as_json)
    _tell_password(name, password, generate)


@users.command("set-role")
def set_role(
    name: Name, role: Annotated[RoleName, typer.Argument(help="The new role.")], as_json: AsJson = False
) -> None:
    """Change a user's role; its logins end."""
    changed = _run(lambda accounts: accounts.change_user(name, role=role))
    done(_user(changed), f"{changed.name} is {changed.role} now and has to log in again", as_json=as_json)


@users.command("disable")
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let the user in again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep a user and its API keys out, within seconds."""
    changed = _run(lambda accounts: accounts.change_user(name, active=undo))
    text = f"{changed.name} may log in again" if undo else f"{changed.name} is disabled, and its keys with it"
    done(_user(changed), text, as_json=as_json)


@users.command("set-password")
def set_password(name: Name, generate: MakeUp = False, as_json: AsJson = False) -> None:
    """Give a user another password; its logins end."""
    password = _password(generate)
    changed = _run(lambda accounts: accounts.change_user(name, password=password))
    done(_user(changed), f"{changed.name} has a new password and has to log in again", as_json=as_json)
    _tell_password(changed.name, password, generate)


@keys.command("list")
def list_keys(
    owner: Annotated[str | None, typer.Option(help="Only keys of this user.")] = None,
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """API keys, without their secrets."""
    require_format(out)
    found = _run(lambda accounts: accounts.keys(owner))
    _show("keys", [_key(key) for key in found], as_json=as_json, out=out)


@keys.command("add")
def add_key(
    owner: Annotated[str, typer.Argument(help="The user in whose name it acts.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    scopes: Annotated[str, typer.Option(help="What it may do: read, stream, run, admin.")] = "read,stream",
    days: Annotated[int, typer.Option(min=0, max=3650, help="How long it is good; 0: for ever.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it once."""
    from serve_app.auth.access import Permission

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    unknown = sorted(set(wanted) - set(Permission))
    if unknown:
        raise InvalidInput(f"there is no scope {', '.join(unknown)}; use {', '.join(Permission)}")
    granted = [Permission(scope) for scope in wanted]
    made = _run(lambda accounts: accounts.add_key(owner, name, granted, expires_in_days=days or None))
    row = {**_key(made.key), "key": made.text}
    show({"key": row}, [row], Text(made.text), as_json=as_json, out=None)
    say(f"this key of {made.key.owner} is shown once; send it as Authorization: Bearer …")


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The id from `keys list`.")], as_json: AsJson = False
) -> None:
    """Make an API key useless, within seconds."""
    _run(lambda accounts: accounts.delete_key(key_id, by=None))
    done({"key_id": key_id, "revoked": True}, f"key {key_id} is revoked", as_json=as_json)


def _run(work: Callable[[Accounts], Awaitable[T]]) -> T:
    """Do one thing with the accounts of this home, on the running PostgreSQL or one that is started for it."""
    import asyncio

    from data.settings import Settings
    from serve_app.auth.opening import open_accounts
    from serve_app.logs import configure_logging
    from serve_app.services import open_services

    configure_logging()
    settings = Settings.load()

    async def with_accounts(url: str) -> T:
        async with open_accounts(settings, url) as accounts:
            return await work(accounts)

    with open_services(settings, ray=False, say=say) as services:
        return asyncio.run(with_accounts(services.postgres_url))


def _password(generate: bool) -> str:
    if generate:
        import secrets

        return secrets.token_urlsafe(15)
    if sys.stdin.isatty():
        return str(typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True))
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InvalidInput("there is no password on standard input; give one, or use --generate")
    return given


def _tell_password(name: str, password: str, generated: bool) -> None:
    if generated:
        say(f"the password of {name}, shown once: [bold]{password}[/]")


def _user(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "active": account.active,
        "created_at": account.created_at.isoformat(),
    }


def _key(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "owner": key.owner,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "last_used_at": None if key.last_used_at is None else key.last_used_at.isoformat(),
    }


def _show(what: str, rows: Sequence[Mapping[str, object]], *, as_json: bool, out: Path | None = None) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in rows[0] if rows else ():
        table.add_column(title)
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    show({what: list(rows)}, rows, table if rows else Text(f"there are no {what}"), as_json=as_json, out=out)


def _cell(value: object) -> Text:
    return Text(", ".join(value) if isinstance(value, list) else "" if value is None else str(value))
