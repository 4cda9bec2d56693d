"""Make a workspace of the VOT toolkit: `siamattn make-vot-workspace`."""
import sys

from siamattn_mm.commands.make_vot_workspace import main

if __name__ == '__main__':
    sys.exit(main(prog='make_vot_workspace.py'))
