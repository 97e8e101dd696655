"""The websocket tier: a process of its own, without Ray, that brings stored events to browsers and programs."""
