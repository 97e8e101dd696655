"""Which web pages may use the API with a user's cookies: those we serve ourselves, and those an operator listed."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from data.settings import Settings

_HOST = re.compile(r"(?P<name>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")


class Origins:
    """The origins that may act for a user. An origin is `scheme://host[:port]`, as browsers send it."""

    def __init__(self, settings: Settings) -> None:
        self._ports = {settings.api.port, settings.gateway_port}
        self._listed = frozenset(origin.rstrip("/").lower() for origin in settings.auth.cors_origins)

    def permits(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may act on a request that was sent to `host` (the Host header).

        Permitted are the same host and port, the API's and the gateway's port of the same host, and listed origins.
        """
        origin = origin.lower()
        if origin in self._listed:
            return True
        try:
            page = urlsplit(origin)
            port = page.port
        except ValueError:
            return False
        if page.scheme not in ("http", "https") or origin != f"{page.scheme}://{page.netloc}" or "@" in page.netloc:
            return False
        name = host_name(host)
        if name is None:
            return False
        return page.netloc == host.lower() or (port in self._ports and page.netloc.rpartition(":")[0] == name)


def host_name(host: str) -> str | None:
    """The name in a Host header, lower case, without port; None for what is no host."""
    found = _HOST.fullmatch(host)
    return None if found is None else found["name"].lower()
