"""A typo stops the start, a message says what to do, and a secret is never said."""

import os
from pathlib import Path

import pytest

from data.contracts.errors import InvalidInput
from data.settings import Settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GS_")]:
        monkeypatch.delenv(name)


def test_without_any_variable_everything_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    settings = Settings.load()
    assert settings.home == Path("/somewhere/.goldensignals")
    assert (settings.postgres.url, settings.redis.url, settings.ray.address) == (None, None, None)
    assert settings.api.host == "127.0.0.1"
    assert settings.agents.actors >= 1


def test_a_variable_sets_a_value_of_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GS_POSTGRES__POOL_SIZE", "3")
    monkeypatch.setenv("GS_HOME", "relative/home")
    settings = Settings.load()
    assert settings.postgres.pool_size == 3
    assert settings.home == Path.cwd() / "relative/home"


@pytest.mark.parametrize("name", ["GS_HOME", "GS_POSTGRES__URL", "GS_RAY__ADDRESS", "GS_API__PORT"])
def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    usual = Settings.load()
    monkeypatch.setenv(name, "")
    assert Settings.load() == usual


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GS_POSGRES__URL", "x", "no setting GS_POSGRES__URL.*GS_POSTGRES"),
        ("GS_", "x", "no setting GS_;"),
        ("GS_POSTGRES__POOLSIZE", "8", "no setting GS_POSTGRES__POOLSIZE.*GS_POSTGRES__POOL_SIZE"),
        ("GS_POSTGRES", "x", "set single values, such as GS_POSTGRES__POOL_SIZE=8"),
        ("GS_POSTGRES__POOL_SIZE", "many", "GS_POSTGRES__POOL_SIZE cannot be used.*integer"),
        ("GS_POSTGRES__POOL_SIZE", "0", "GS_POSTGRES__POOL_SIZE cannot be used.*greater than 0"),
        ("GS_AGENTS__ACTORS", "0", "GS_AGENTS__ACTORS cannot be used.*greater than or equal to 1"),
        ("GS_API__PORT", "70000", "GS_API__PORT cannot be used.*less than or equal to 65535"),
        ("GS_POSTGRES__URL", "mysql://x", "GS_POSTGRES__URL cannot be used: the URL must begin with postgresql://"),
        ("GS_REDIS__URL", "localhost", "GS_REDIS__URL cannot be used: the URL must begin with redis://"),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput, match=said):
        Settings.load()


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GS_API__PORT", "x")
    monkeypatch.setenv("GS_AGENTS__ACTORS", "y")
    with pytest.raises(InvalidInput, match=r"GS_AGENTS__ACTORS.*GS_API__PORT"):
        Settings.load()


def test_a_secret_is_in_no_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GS_POSTGRES__URL", "postgresql://u:hunter2@db/x")
    monkeypatch.setenv("GS_REDIS__URL", "redis://:hunter2@cache")
    settings = Settings.load()
    assert "hunter2" not in f"{settings!r}{settings}{settings.model_dump_json()}{settings.postgres.model_dump()}"
    assert settings.postgres.url is not None
    assert settings.postgres.url.get_secret_value() == "postgresql://u:hunter2@db/x"


@pytest.mark.parametrize(
    "wrong",
    [
        {"GS_POSTGRES__URL": "hunter2@db"},
        {"GS_POSTGRES": "{hunter2"},
        {"GS_POSTGRES": '{"url": "postgresql://hunter2@db", "pool": 2}'},
        {"GS_POSTGRES__URL": "postgresql://hunter2@db", "GS_POSTGRES__POOL_SIZE": "x"},
        {"GS_POSTGRES__URL__X": "hunter2"},
    ],
    ids=["no URL", "no JSON", "unknown key", "another is wrong", "too deep"],
)
def test_a_secret_is_in_no_message(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]) -> None:
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as caught:
        Settings.load()
    assert "hunter2" not in f"{caught.value}{caught.value.facts}"
    assert caught.value.__suppress_context__  # the cause, which holds the value, is not shown in a traceback either


def test_settings_do_not_change_after_the_start() -> None:
    settings = Settings.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.home = Path("/elsewhere")
    with pytest.raises(ValueError, match="frozen"):
        settings.postgres.pool_size = 1
