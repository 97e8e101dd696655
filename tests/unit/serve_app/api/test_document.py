"""The OpenAPI document that clients are generated from, and what making it must not do."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
NO_RAY = """
import sys
import serve_app.api.open, serve_app.api.app, serve_app.api.schema
heavy = sorted({name.partition('.')[0] for name in sys.modules} & {"ray", "numba", "llvmlite", "pandas"})
print(heavy)
"""


def run(*command: str) -> str:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def test_the_document_of_the_dashboard_is_the_one_the_program_prints() -> None:
    printed = run("-m", "serve_app.api.schema")
    kept = (ROOT / "frontend" / "openapi.json").read_text()
    assert printed == kept, "write it anew: python -m serve_app.api.schema > frontend/openapi.json"


def test_every_route_says_what_it_does_and_how_it_fails() -> None:
    document = json.loads((ROOT / "frontend" / "openapi.json").read_text())
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), f"{method} {path}"
            assert "application/problem+json" in operation["responses"]["default"]["content"], f"{method} {path}"


def test_the_events_are_told_apart_by_their_type() -> None:
    document = json.loads(run("-m", "serve_app.api.schema", "--events"))
    assert document["discriminator"]["propertyName"] == "type"
    assert "signal.emitted.v1" in document["discriminator"]["mapping"]


def test_the_api_is_put_together_without_ray_and_without_compiling() -> None:
    assert run("-c", NO_RAY) == "[]\n"
