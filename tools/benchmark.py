"""Measure time, arithmetic and memory: `siamattn benchmark`."""
import sys

from siamattn_mm.commands.benchmark import main

if __name__ == '__main__':
    sys.exit(main(prog='benchmark.py'))
