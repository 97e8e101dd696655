"""The command line `goldensignals`: one module per group of verbs. It parses, calls one service, renders."""

from serve_app.cli.main import main

__all__ = ["main"]
