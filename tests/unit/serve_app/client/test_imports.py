"""A program that only talks to a server loads nothing of the server."""

import json
import subprocess
import sys

CODE = """
import goldensignals as gs, sys, json
gs.connect
print(json.dumps(sorted({m.split('.')[0] for m in sys.modules} | {m for m in sys.modules if 'serve_app' in m})))
"""


def test_the_client_needs_neither_ray_nor_kernels_nor_drivers_nor_a_web_framework() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert {"httpx", "websockets", "polars"} <= loaded
    assert loaded.isdisjoint(
        {"ray", "numba", "fastapi", "starlette", "uvicorn", "psycopg", "redis", "agents", "cluster"}
    )
    ours = {name for name in loaded if name.startswith("serve_app.") and not name.startswith("serve_app.client")}
    assert ours == {"serve_app.api", "serve_app.api.models", "serve_app.api.research_models"}
