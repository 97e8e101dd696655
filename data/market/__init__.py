"""Market data on its way in: files and frames to checked bars, sessions, universes, the bundled sample."""
