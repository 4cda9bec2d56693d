"""Make a small file of weights: `siamattn publish-model`."""
import sys

from siamattn_mm.commands.publish_model import main

if __name__ == '__main__':
    sys.exit(main(prog='publish_model.py'))
