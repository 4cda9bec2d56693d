"""mmtrack's `tools/test.py`: `siamattn test`."""
import sys

from siamattn_mm.commands.test import main

if __name__ == '__main__':
    sys.exit(main(prog=sys.argv[0]))
