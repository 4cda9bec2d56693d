"""Draw training pairs as a model gets them: `siamattn browse-dataset`."""
import sys

from siamattn_mm.commands.browse_dataset import main

if __name__ == '__main__':
    sys.exit(main(prog='browse_dataset.py'))
