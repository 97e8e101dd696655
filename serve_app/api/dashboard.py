"""Serves the built dashboard: its files, and its first page for every address that is a page of its own."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

_API = ("v1", "docs", "redoc", "openapi.json", "healthz", "readyz", "metrics", "ws")  # first parts of our own addresses
_HASHED = "assets"  # the build names files in there by their content
_FOREVER = "public, max-age=31536000, immutable"
_ASK = "no-cache"  # kept, but asked about before each use: a deploy is seen at the next load


def built_dashboard() -> Path | None:
    """Where `make dashboard` has put the built files; None where it was not built (no Node)."""
    folder = Path(__file__).parents[2] / "frontend" / "dist"
    return folder if (folder / "index.html").is_file() else None


def mount_dashboard(app: FastAPI, folder: Path) -> None:
    """Answer what no route answers from the files in `folder`; routes, their 404 and their 405 stay as they are."""
    app.router.default = _Dashboard(folder, otherwise=app.router.default)


class _Dashboard(StaticFiles):
    def __init__(self, folder: Path, *, otherwise: object) -> None:
        super().__init__(directory=folder, check_dir=True)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = scope["path"].lstrip("/").partition("/")[0]
        if scope["type"] != "http" or first in _API or scope["method"] not in ("GET", "HEAD"):
            await self._otherwise(scope, receive, send)  # type: ignore[operator]  # the router's own: 404
            return
        await super().__call__(scope, receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response("index.html" if path == "." else path, scope)
        except HTTPException as problem:
            # Addresses of pages have no ending; a file that is not there must not answer with a page of HTML.
            if problem.status_code != 404 or PurePosixPath(path).suffix:
                raise
            path = "index.html"
            response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOREVER if PurePosixPath(path).parts[:1] == (_HASHED,) else _ASK
        return response
