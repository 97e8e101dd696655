"""Redis's own settings and ways to fail at start."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from data.contracts.errors import GoldenSignalsError
from data.embedded.redis import EmbeddedRedis


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedRedis]:
    made = EmbeddedRedis(home)
    made.start()
    yield made
    made.stop()


def test_it_keeps_an_append_only_file_and_never_drops_keys(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        settings = client.config_get("*")
    wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0"}
    assert isinstance(settings, dict)
    assert wanted.items() <= settings.items()
    assert int(settings["maxmemory"]) > 0


def test_a_truncated_file_after_a_crash_is_read_up_to_its_last_whole_command(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        client.set("whole", "1")
    server.stop()
    with (server.data_folder / "appendonly.aof").open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nha")
    with redis.Redis.from_url(server.start(), decode_responses=True) as client:
        assert client.get("whole") == "1"


def test_a_damaged_file_is_reported_and_left_as_it_was(server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(server.url) as client:
        for number in range(100):
            client.set(f"key{number}", "x" * 100)
    server.stop()
    file = server.data_folder / "appendonly.aof"
    damaged = file.read_bytes()[:500] + b"\0" * 64 + file.read_bytes()[564:]
    file.write_bytes(damaged)
    with pytest.raises(GoldenSignalsError, match=r"Bad file format.*Nothing was deleted.*mv .*only delivery state"):
        server.start()
    assert file.read_bytes() == damaged
