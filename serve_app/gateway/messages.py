"""What a client may say. Pure: bytes in, one of five things out, or an error that says what to write instead."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from data.contracts.errors import InvalidInput
from serve_app.gateway.rooms import MAX_ROOMS, check_room

MESSAGE_BYTES = 64 * 1024


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _room(room: str) -> str:
    try:
        return check_room(room)
    except InvalidInput as problem:
        raise ValueError(str(problem)) from None  # pydantic collects ValueErrors only


Rooms = Annotated[list[Annotated[str, AfterValidator(_room)]], Field(min_length=1, max_length=MAX_ROOMS)]


class Auth(_Message):
    """Who is there: the first message."""

    type: Literal["auth"]
    ticket: str = Field(min_length=1, max_length=512, repr=False)


class Subscribe(_Message):
    """Enter rooms. `cursor`: the last one seen, to get what was missed since; null: begin with how things are now."""

    type: Literal["subscribe"]
    rooms: Rooms
    cursor: int | None = Field(default=None, ge=0, lt=2**63)


class Unsubscribe(_Message):
    """Leave rooms; those it is not in are no error."""

    type: Literal["unsubscribe"]
    rooms: Rooms


class Pong(_Message):
    """The client is there."""

    type: Literal["pong"]


Message = Auth | Subscribe | Unsubscribe | Pong
_READ: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


class Garbage(InvalidInput):
    """Not a JSON object at all: whoever sends this does not speak the protocol."""


def read(text: bytes) -> Message:
    """The message in these bytes.

    Raises: Garbage for what is no JSON object; InvalidInput, naming the field and never repeating a ticket, for an
            object that is no message.
    """
    try:
        found = from_json(text, allow_inf_nan=False)
    except ValueError:
        raise Garbage("this is not JSON; a message is an object such as {'type':'pong'}") from None
    if not isinstance(found, dict):
        raise Garbage("a message is a JSON object with a type")
    try:
        return _READ.validate_python(found)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        told = str(first["msg"]).removeprefix("Value error, ")
        if first["type"].startswith("union_tag"):
            told = "the type of a message is auth, subscribe, unsubscribe or pong"
        raise InvalidInput(f"{place}: {told}" if place else told) from None
