"""The reference of the API at `/docs`: a page of the dashboard's build or, without a build, a list of the operations.

Both come from here alone: no script, style or picture of another origin.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

_BUILT = "docs.html"  # the build's second page, beside index.html
_METHODS = ("get", "post", "put", "patch", "delete")
_STYLE = (
    ":root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;margin:1.5rem auto;padding:0 1rem;"
    "max-width:70rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}td code{white-space:nowrap}"
    "div{overflow-x:auto}"
)


def add_reference(app: FastAPI, dashboard: Path | None) -> None:
    """Answer `/docs`. `dashboard` is the folder of the built dashboard; None where it is not built."""

    def reference(_: Request) -> Response:
        if dashboard is not None and (dashboard / _BUILT).is_file():
            return FileResponse(dashboard / _BUILT, headers={"Cache-Control": "no-cache"})
        return HTMLResponse(plain_reference(app.openapi()))

    app.add_route("/docs", reference, include_in_schema=False)


def plain_reference(document: dict[str, Any]) -> str:
    """The operations of an OpenAPI document as a page of HTML without a script."""
    title, about = escape(document["info"]["title"]), escape(document["info"].get("description", ""))
    rows = "\n".join(
        _row(method.upper(), path, operations[method])
        for path, operations in sorted(document["paths"].items())
        for method in _METHODS
        if method in operations
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · {title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>API of {title}</h1>
<p>{about}</p>
<p>The whole document, with every field: <a href="/openapi.json">/openapi.json</a>.</p>
<div tabindex="0" role="region" aria-label="Operations"><table>
<thead><tr><th scope="col">Method</th><th scope="col">Path</th><th scope="col">What it does</th>\
<th scope="col">Parameters</th></tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
</main>
</body>
</html>
"""


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    what = operation.get("description") or operation.get("summary", "")
    names = ", ".join(parameter["name"] for parameter in operation.get("parameters", ()))
    cells = (f"<code>{method}</code>", f"<code>{escape(path)}</code>", escape(what), escape(names))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
