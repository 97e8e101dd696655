"""Where it runs: Ray connection, agent pools, scans. Knows agents and data, nothing of HTTP."""
