"""Numba kernels: one jitted call over a whole ragged panel each. NumPy and Numba only; nothing is checked here.

Inputs are read-only, contiguous float64 columns (N,) of symbols end to end; outputs are preallocated columns (N,)
that the kernel fills completely. Three kinds, each compiled for exactly one signature:

    points   kernel(*inputs, *params, *outputs)                                  the row alone
    window   kernel(*inputs, offsets, *params, *outputs)                         this row and a few before it
    memory   kernel(*inputs, offsets, order, starts, carry, *params, *outputs)   all rows since the first

`offsets` (S+1,): symbol s owns rows offsets[s]:offsets[s+1]. A window writes NaN into its warm-up rows. A memory
starts at offsets[s] + starts[s]: rows before that belong to earlier calls (or to its inputs' warm-up) and may be read
as "the bars before", at most carry[0, s] of them; their outputs are not defined. carry (K, S) is taken up and left
behind, row 0 being the count of bars seen, zeros at the beginning. `order` (S,) lists symbols by length for kernels
that advance several side by side.

A symbol's values never depend on its neighbours or on where a history was cut. So sums over a window are not running
sums that remember how they began: see `doubling`. A kernel that its node calls `guarded` never sees NaN; all others
carry NaN through by themselves: a window forgets it, a memory keeps it.

Kernels that call each other share a module, or name the file of the other: compiled code is kept by the content of
these files, see `compiling`.
"""
