"""The Python client: the calls of the façade on a server, and its signals as they happen. Needs no Ray."""
