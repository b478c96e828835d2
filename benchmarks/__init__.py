"""Figures that anybody can print: `python -m benchmarks.NAME --data DIR --threads N`."""
