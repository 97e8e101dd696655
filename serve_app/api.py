"""The HTTP side on Ray Serve: whether the system lives and is ready."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from ray import serve
from ray.exceptions import RayTaskError
from ray.serve.handle import DeploymentHandle

from data.contracts.errors import GoldenSignalsError
from serve_app.orchestrator import OrchestratorDeployment

_READY_S = 2.0

app = FastAPI(title="GoldenSignals", docs_url="/docs")


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """This replica answers."""
    return {"status": "ok"}


@serve.deployment(
    name="api",
    ray_actor_options={"num_cpus": 0.1},
    max_ongoing_requests=64,
    max_queued_requests=256,
    graceful_shutdown_timeout_s=5,
    health_check_period_s=5,
)
@serve.ingress(app)
class Api:
    """The ingress deployment."""

    def __init__(self, orchestrator: DeploymentHandle[OrchestratorDeployment]) -> None:
        self._orchestrator = orchestrator

    @app.get("/readyz")
    async def readyz(self) -> JSONResponse:
        """The orchestrator answers and can reach PostgreSQL; 503 with the reason otherwise."""
        try:
            async with asyncio.timeout(_READY_S):
                await self._orchestrator.check.remote()
        except TimeoutError:
            return JSONResponse({"status": "not ready", "detail": "the orchestrator did not answer"}, 503)
        except RayTaskError as problem:
            detail = str(problem.cause) if isinstance(problem.cause, GoldenSignalsError) else "the orchestrator failed"
            return JSONResponse({"status": "not ready", "detail": detail}, 503)
        return JSONResponse({"status": "ready"})
