"""Make the file for a benchmark's server: `siamattn make-submission`."""
import sys

from siamattn_mm.commands.make_submission import main

if __name__ == '__main__':
    sys.exit(main(prog='make_submission.py'))
