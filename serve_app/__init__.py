"""How it is reached: start and stop, the command line, the orchestrator on Ray Serve."""
