"""Lets ``python -m simulator`` do what the command ``s2sim`` does. Knows nothing else."""

import sys

from simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
