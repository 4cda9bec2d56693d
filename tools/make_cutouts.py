"""Make a training set of cut-outs: `siamattn make-cutouts`."""
import sys

from siamattn_mm.commands.make_cutouts import main

if __name__ == '__main__':
    sys.exit(main(prog='make_cutouts.py'))
