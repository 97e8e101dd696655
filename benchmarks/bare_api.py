"""`python -m benchmarks.bare_api PORT`: the API of Serve with all its middleware, on one bare uvicorn process."""

from __future__ import annotations

import sys

import uvicorn

from data.settings import Settings
from serve_app.api.app import build_app
from serve_app.api.compute import NoCompute
from serve_app.api.open import open_services


def main() -> None:
    """Serve until SIGTERM, with the settings of the environment."""
    settings = Settings.load()
    app = build_app(settings, lambda: open_services(settings, NoCompute()), reading_only=False, dashboard=None)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
