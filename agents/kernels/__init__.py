"""Numba kernels: one jitted call over a whole ragged panel each. NumPy and Numba only; nothing is checked here.

Every kernel takes its input columns (N,), then `offsets` (S+1,), so that symbol s owns rows
offsets[s]:offsets[s+1], then its parameters, then its preallocated output columns (N,), which it fills
completely (NaN while warming up). Inputs are read-only, contiguous float64; the callers in
`agents.indicators` see to that, so each kernel is compiled for exactly one signature.

A symbol's values never depend on its neighbours or on where a history was cut:
* `windows`   — pure functions of the last few bars, put together by a fixed tree, so position does not matter;
* `moments`   — the same for variances and slopes;
* `recursive` — averages that remember, one carried value per symbol, advanced in bar order.

Kernels that call each other share a module: Numba's cache does not notice an edit in another file.
"""
