"""Track objects in a video and show them: `siamattn track`."""
import sys

from siamattn_mm.commands.track import main

if __name__ == '__main__':
    sys.exit(main(prog='demo.py'))
