"""Real market data that ships with the project; sources and licences stand in this folder's README."""
