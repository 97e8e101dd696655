"""One module a resource; a route validates, calls one service, and shapes the answer."""
