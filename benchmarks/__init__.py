"""What is measured, against what, on this machine: `python -m benchmarks.scan`; numbers go to `results/`."""
