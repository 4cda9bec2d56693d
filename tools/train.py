"""mmtrack's `tools/train.py`: `siamattn train`."""
import sys

from siamattn_mm.commands.train import main

if __name__ == '__main__':
    sys.exit(main(prog=sys.argv[0]))
