"""Delivery: from stored events through Redis Streams to whoever subscribes."""
