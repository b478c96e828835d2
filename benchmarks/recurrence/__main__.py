"""Run the command."""

import sys

from .command import BENCHMARK

if __name__ == "__main__":
    sys.exit(BENCHMARK.main())
