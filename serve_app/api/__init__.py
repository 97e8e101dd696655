"""The HTTP API: the same routers on Ray Serve and, for reading, in the gateway. Nothing here imports Ray."""
