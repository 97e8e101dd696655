"""What we think: pure functions of bars, from indicator kernels to agents and their consensus. No Ray, no IO."""
