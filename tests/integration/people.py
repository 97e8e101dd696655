"""Who calls the API in the tests, and the settings of the home that lets them in."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr

from data.home import Home
from data.settings import PostgresSettings, RedisSettings, Settings
from data.store.accounts import Account
from serve_app.auth.access import Role

PASSWORD = "a password of the tests"


def account(name: str, role: Role, password_hash: str, created_at: datetime) -> Account:
    return Account(uuid4(), name, role, password_hash, active=True, epoch=1, created_at=created_at)


def settings_of(home: Path, postgres_url: str, redis_url: str, **groups: Any) -> Settings:
    """Settings of a home that is made ready, on these servers."""
    Home(home).prepare()
    return Settings(
        home=home,
        postgres=PostgresSettings(url=SecretStr(postgres_url)),
        redis=RedisSettings(url=SecretStr(redis_url)),
        **groups,
    )
