"""A tracker for the VOT toolkit: `siamattn vot-tracker`."""
import sys

from siamattn_cli.vot_tracker import main

if __name__ == '__main__':
    sys.exit(main(prog='vot_tracker.py'))
