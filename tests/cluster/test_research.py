"""Research asked over HTTP of a running system: planned on Serve, worked on Ray, read without it."""

import goldensignals as gs
from serve_app.api.models import JobView
from tests.cluster.installation import Installation
from tests.cluster.live import admin_of


def test_a_posted_sweep_is_planned_worked_on_ray_and_read_from_the_gateway(system: Installation) -> None:
    admin = admin_of(system)
    seen: list[JobView] = []
    with gs.connect(
        f"http://127.0.0.1:{system.port}", username=admin.name, password=admin.password, timeout_s=60.0
    ) as client:
        asked = client.sweep("sma_cross", fast="5:25", slow="40:200:10", fees="5bps", on_progress=seen.append)
        (job,) = client.jobs(kind="sweep").to_dicts()
    assert (job["state"], job["done"], job["total"]) == ("done", 320, 320)
    assert seen[-1].result_id == asked.result_id
    with gs.connect(f"http://127.0.0.1:{system.gateway_port}", username=admin.name, password=admin.password) as reading:
        assert reading.run(asked.result_id).rows("sets").height == 320
    nodes = [node for (node,) in system.rows("SELECT node FROM job_chunk WHERE job_id = %s", job["job_id"])]
    assert nodes
    assert "this process" not in nodes
