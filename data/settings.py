"""What an operator may change, as `GS_POSTGRES__POOL_SIZE=8`. Built once, by an entry point; never at import.

Units are in the names. Nested groups forbid extras and unknown `GS_` names are refused, so a typo stops the start.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from data.contracts.errors import InvalidInput

_PREFIX = "GS_"


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PostgresSettings(_Group):
    """The store of record. No URL: an embedded server under the home."""

    url: SecretStr | None = None
    pool_size: PositiveInt = 8
    connect_s: PositiveFloat = 10.0
    read_s: PositiveFloat = 10.0
    write_s: PositiveFloat = 30.0

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _require_scheme(value, "postgresql://", "postgres://")


class RedisSettings(_Group):
    """Delivery and cache. No URL: an embedded server under the home."""

    url: SecretStr | None = None
    command_s: PositiveFloat = 5.0

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: SecretStr | None) -> SecretStr | None:
        return _require_scheme(value, "redis://", "rediss://", "unix://")


class RaySettings(_Group):
    """The compute cluster. No address: a local one, on loopback only."""

    address: str | None = None
    object_store_mb: PositiveInt = 512
    start_s: PositiveFloat = 180.0


class AgentSettings(_Group):
    """Agent pools."""

    actors: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 1) // 2),
        ge=1,
        le=1000,
        description="actors per agent; by default one for every two cores of this machine",
    )
    cpus_per_actor: PositiveFloat = 0.05
    deadline_s: PositiveFloat = Field(default=2.0, description="live serving: later votes are missing")
    session_deadline_s: PositiveFloat = Field(
        default=10.0, description="replay: votes on a whole session; later are missing"
    )
    chunk_deadline_s: PositiveFloat = Field(default=60.0, description="scans and jobs: later chunks are retried")
    max_pending_calls: PositiveInt = 64


class ApiSettings(_Group):
    """The HTTP API on Ray Serve."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    replicas: PositiveInt = 2
    proxy: Literal["haproxy", "serve"] = "haproxy"
    body_bytes: PositiveInt = Field(default=1024**2, description="largest request body")
    upload_bytes: PositiveInt = Field(default=64 * 1024**2, description="largest upload of bars")
    upload_total_bytes: PositiveInt = Field(default=1024**3, description="uploads of bars that one user may keep")
    job_core_hours: PositiveFloat = Field(default=1000.0, description="predicted work of the largest job taken")


class GatewaySettings(_Group):
    """The websocket tier. No port: the one after the API's."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=1, le=65535)
    max_clients: PositiveInt = 5000
    client_bytes: PositiveInt = Field(
        default=4 * 1024**2, description="unsent bytes from which a client is closed with 4008"
    )
    ping_s: PositiveFloat = 20.0
    idle_s: PositiveFloat = Field(default=60.0, description="silence after which a client is closed")


class StreamSettings(_Group):
    """Redis Streams: delivery of stored events."""

    keep_events: PositiveInt = Field(default=20_000, description="events kept for resuming; older ones are trimmed")
    lease_s: PositiveFloat = Field(default=5.0, description="a relay that gives no sign for so long is taken over")


class AuthSettings(_Group):
    """Logins. The secret is a file under the home, made at the first start, unless several homes must share one."""

    secret: SecretStr | None = Field(
        default=None, min_length=32, description="signs access tokens; none: one of the home"
    )
    access_minutes: PositiveInt = 10
    refresh_days: PositiveInt = 14
    ticket_s: PositiveInt = 30
    login_per_minute: PositiveInt = Field(default=10, description="attempts per user name and per address")
    requests_per_minute: PositiveInt = Field(default=1200, description="per caller and route")
    cors_origins: tuple[str, ...] = Field(default=(), description="other origins whose pages may call the API")


class ReplaySettings(_Group):
    """The replay source."""

    sessions: PositiveInt = Field(default=40, description="how many sessions before the newest one it begins")
    session_s: PositiveFloat = Field(default=10.0, description="seconds of wall time a session takes")


class Settings(BaseSettings):
    """All settings; `Settings.load()` reads the environment and nothing else."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    home: Path = Path("~/.goldensignals")
    postgres: PostgresSettings = PostgresSettings()
    redis: RedisSettings = RedisSettings()
    ray: RaySettings = RaySettings()
    agents: AgentSettings = AgentSettings()
    api: ApiSettings = ApiSettings()
    gateway: GatewaySettings = GatewaySettings()
    stream: StreamSettings = StreamSettings()
    auth: AuthSettings = AuthSettings()
    replay: ReplaySettings = ReplaySettings()

    @property
    def gateway_port(self) -> int:
        """The port of the websocket tier."""
        return self.gateway.port or self.api.port + 1

    @classmethod
    def load(cls) -> Self:
        """Settings of this process; an empty variable is as good as none.

        Raises InvalidInput naming the variable that is unknown or malformed, never its value.
        """
        for name in sorted(os.environ):
            group = name.removeprefix(_PREFIX).split("__")[0].lower()
            if name.startswith(_PREFIX) and group not in cls.model_fields:
                known = ", ".join(_PREFIX + field.upper() for field in cls.model_fields)
                raise InvalidInput(f"there is no setting {name}; the groups are {known}")
        try:
            loaded = cls()
        except ValidationError as problem:
            raise InvalidInput("; ".join(_sentence(error) for error in problem.errors(include_input=False))) from None
        except SettingsError:  # a value for a whole group that is not JSON; its text may hold a secret
            raise InvalidInput(
                f"one of {', '.join(_PREFIX + field.upper() for field in cls.model_fields)} was given as a whole and "
                f"cannot be read; set single values, such as {_PREFIX}POSTGRES__POOL_SIZE=8"
            ) from None
        return loaded.model_copy(update={"home": loaded.home.expanduser().absolute()})


def _sentence(error: Mapping[str, object]) -> str:
    place = error["loc"]
    parts = [str(part) for part in place] if isinstance(place, tuple) else [str(place)]
    name = _PREFIX + "__".join(parts).upper()
    if error["type"] == "extra_forbidden":
        group = Settings.model_fields[parts[0]].annotation
        assert isinstance(group, type)
        assert issubclass(group, BaseModel)
        known = ", ".join(f"{_PREFIX}{parts[0]}__{field}".upper() for field in group.model_fields)
        return f"there is no setting {name}; known are {known}"
    return f"the setting {name} cannot be used: {str(error['msg']).removeprefix('Value error, ')}"


def _require_scheme(value: SecretStr | None, *schemes: str) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(schemes):
        raise ValueError(f"the URL must begin with {' or '.join(schemes)}")
    return value
