"""Prints the schema of the stream's events as an OpenAPI document with components only: `npm run schema`."""

import json

from pydantic import TypeAdapter

from data.contracts.events import AnyEvent


def document() -> dict[str, object]:
    """The document; `openapi-typescript` turns its components into src/types/events.ts."""
    schema = TypeAdapter(AnyEvent).json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas = dict(schema.pop("$defs"))
    schemas["AnyEvent"] = schema
    return {
        "openapi": "3.1.0",
        "info": {"title": "GoldenSignals events", "version": "1"},
        "paths": {},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


if __name__ == "__main__":
    print(json.dumps(document(), indent=1, sort_keys=True))  # noqa: T201  the document is what it is for
