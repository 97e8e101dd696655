"""Prints what clients generate types from: `python -m serve_app.api.schema [--events]`.

The OpenAPI document of the whole API, or the JSON Schema of the events; sorted, so that the same API prints the same
bytes. Nothing is opened.
"""

from __future__ import annotations

import json
import sys
from contextlib import AbstractAsyncContextManager
from typing import Any

from pydantic import TypeAdapter

from data.contracts.events import AnyEvent
from data.settings import Settings
from serve_app.api.app import build_app
from serve_app.api.services import Services


def openapi() -> dict[str, Any]:
    """The OpenAPI document of the whole API, as on Serve."""
    return build_app(Settings(), _never, reading_only=False, dashboard=None).openapi()


def events() -> dict[str, Any]:
    """JSON Schema of every event, told apart by `type`."""
    adapter: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
    return {"title": "Event", **adapter.json_schema(mode="serialization")}


def main(arguments: list[str]) -> None:
    """Print one of the two."""
    if arguments not in ([], ["--events"]):
        sys.exit("usage: python -m serve_app.api.schema [--events]")
    document = events() if arguments else openapi()
    sys.stdout.write(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _never() -> AbstractAsyncContextManager[Services]:
    raise AssertionError("a document needs no services")


if __name__ == "__main__":
    main(sys.argv[1:])
