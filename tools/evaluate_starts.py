"""Track from several starts: `siamattn evaluate-starts`."""
import sys

from siamattn_mm.commands.evaluate_starts import main

if __name__ == '__main__':
    sys.exit(main(prog='evaluate_starts.py'))
