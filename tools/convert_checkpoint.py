"""Convert other code bases' checkpoints: `siamattn convert-checkpoint`."""
import sys

from siamattn_mm.commands.convert_checkpoint import main

if __name__ == '__main__':
    sys.exit(main(prog='convert_checkpoint.py'))
