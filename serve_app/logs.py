"""Logging of every process: structured lines on stderr. Imports neither Ray nor the cluster, so that all can use it."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logging(level: int = logging.WARNING) -> None:
    """Structured log lines on stderr; stdout belongs to results."""
    logging.getLogger("ray").setLevel(level)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )


def quiet_serve() -> None:
    """Keep Ray Serve's notes in its log files. Its import sets the level, so this comes after it."""
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
