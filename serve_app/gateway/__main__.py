"""`python -m serve_app.gateway`: the websocket, and what can be read without Ray, until SIGTERM.

One process, one event loop. It starts while PostgreSQL or Redis are away. From when it listens it touches
`HOME/run/gateway.alive` each second, from the event loop: a supervisor restarts one whose file has grown old.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from contextlib import nullcontext
from random import Random
from typing import Final

import uvicorn
import uvloop

from data.home import Home
from data.settings import Settings
from serve_app.api.app import build_app
from serve_app.api.compute import NoCompute
from serve_app.api.dashboard import built_dashboard
from serve_app.api.open import open_services
from serve_app.api.services import Services
from serve_app.children import Heartbeat
from serve_app.gateway.gateway import Gateway
from serve_app.gateway.http_protocol import PromptHttp
from serve_app.logs import configure_logging

NAME: Final = "gateway"
END_S: Final = 10  # for requests in flight and for clients to answer a close

_BEAT_S = 1.0
_BACKLOG = 4096  # a restart brings all clients back within seconds


def main() -> None:
    """Run until SIGTERM or Ctrl-C. Raises InvalidInput for settings that cannot be used."""
    settings = Settings.load()
    configure_logging(logging.INFO)
    home = Home(settings.home)
    home.prepare()
    _allow_many_sockets()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, Heartbeat(home, NAME)))


async def serve(settings: Settings, heartbeat: Heartbeat) -> None:
    """Serve until a signal comes, and say goodbye to every client."""
    async with open_services(settings, NoCompute()) as services:
        server, gateway = build_server(settings, services)
        _end_on_signals(server)
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(gateway.run()), tasks.create_task(_beat(server, heartbeat))]
            await server.serve()
            for task in beside:
                task.cancel()


def build_server(settings: Settings, services: Services) -> tuple[uvicorn.Server, Gateway]:
    """The HTTP server, and the gateway it hands websockets to; whoever serves must also `run` the gateway."""
    gateway = Gateway(services, random=Random())  # noqa: S311  spreads reconnects
    app = build_app(settings, lambda: nullcontext(services), reading_only=True, dashboard=built_dashboard())
    app.state.vitals = gateway.numbers
    config = uvicorn.Config(
        app,
        host=settings.gateway.host,
        port=settings.gateway_port,
        http=PromptHttp,
        ws=gateway.connect,  # type: ignore[arg-type]  # called like the class uvicorn expects
        lifespan="on",
        log_config=None,
        log_level="error",  # what strangers send is no news
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=END_S,
    )
    return uvicorn.Server(config), gateway


async def _beat(server: uvicorn.Server, heartbeat: Heartbeat) -> None:
    while True:
        if server.started:
            heartbeat.beat()
        await asyncio.sleep(_BEAT_S if server.started else _BEAT_S / 20)


def _end_on_signals(server: uvicorn.Server) -> None:
    """Before this a signal ends the process as it ends any: nobody has connected. While it serves, uvicorn has them;
    it raises them once more when it is done, which must not cut off what is still being closed."""

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _allow_many_sockets() -> None:
    """As many open files as this process may have: each client is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
