"""Compare result folders on one page: `siamattn report`."""
import sys

from siamattn_mm.commands.report import main

if __name__ == '__main__':
    sys.exit(main(prog='report.py'))
