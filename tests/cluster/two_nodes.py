"""A cluster of two Ray nodes that loses one; run by `test_two_nodes` in a process of its own, which owns the cluster.

    python tests/cluster/two_nodes.py HOME RESULT

Writes one JSON object with what was seen to the file RESULT: Ray's nodes write to stdout as they please.
"""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from cluster import connect
from data.home import RAY_TOKEN, Home


def _node(_: object) -> str:
    import ray

    return str(ray.get_runtime_context().get_node_id())


async def observe(cluster: Any, worker: Any) -> dict[str, object]:
    """Ask pools on two nodes, take one node away, and ask again."""
    import ray

    from agents.registry import roster
    from cluster.pools import AgentPool
    from cluster.voters import LocalVoters, PoolVoters
    from data.market.source import SAMPLE, open_bars
    from data.settings import AgentSettings

    panel = open_bars(SAMPLE).panel
    agents = roster(["patterns", "trend"])
    settings = AgentSettings(actors=2, chunk_deadline_s=30)
    pools = {agent.name: AgentPool.ensure(agent, settings, keep=True) for agent in agents}

    def where(name: str) -> list[str]:
        handles: list[Any] = [
            ray.get_actor(f"agent/{name}/{member}", namespace=connect.NAMESPACE) for member in range(2)
        ]
        look = [handle.__ray_call__.remote(_node) for handle in handles]
        nodes: list[str] = ray.get(look, timeout=90)
        return nodes

    async def votes() -> str:
        blocks = await PoolVoters(pools, settings).votes(panel, agents, rows="last", progress=lambda done, total: None)
        return digest(blocks)

    def digest(blocks: list[Any]) -> str:
        return "".join((block.score.tobytes() + block.confidence.tobytes()).hex() for block in blocks)

    await asyncio.gather(*(pool.ready(deadline_s=90) for pool in pools.values()))
    expected = digest(await LocalVoters().votes(panel, agents, rows="last", progress=lambda done, total: None))
    before = {agent.name: where(agent.name) for agent in agents}
    whole = await votes()
    cluster.remove_node(worker, allow_graceful=False)
    lost = time.monotonic()
    after_loss = await votes()
    answered_s = time.monotonic() - lost
    await asyncio.gather(*(pool.ready(deadline_s=90) for pool in pools.values()))
    return {
        "nodes_before": before,
        "nodes_after": {agent.name: where(agent.name) for agent in agents},
        "same_bits": whole == expected,
        "same_bits_after_loss": after_loss == expected,
        "answered_after_loss_s": answered_s,
    }


def main() -> None:
    """Two nodes, then one."""
    home = Home(Path(sys.argv[1]))
    home.prepare()
    home.secret(RAY_TOKEN)
    connect.prepare_environment(home.secrets / RAY_TOKEN, local=True)
    from ray.cluster_utils import Cluster

    scratch = str(home.scratch / "ray")
    node: dict[str, Any] = {"num_cpus": 2, "temp_dir": scratch, "object_store_memory": 256 * 1024**2}
    cluster: Any = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
    try:
        worker = cluster.add_node(**node)
        before = signal.getsignal(signal.SIGTERM)
        connect.join(cluster.address)
        keeps = {"keeps_sigterm": signal.getsignal(signal.SIGTERM) == before}
        Path(sys.argv[2]).write_text(json.dumps(keeps | asyncio.run(observe(cluster, worker))))
    finally:
        connect.disconnect()
        cluster.shutdown()


if __name__ == "__main__":
    main()
