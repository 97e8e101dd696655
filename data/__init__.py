"""What we know and where it lives: contracts, settings, clock, bars, stores. Imports no other part of the project."""
