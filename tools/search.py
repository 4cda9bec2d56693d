"""Search a config's tracking parameters: `siamattn search`."""
import sys

from siamattn_mm.commands.search import main

if __name__ == '__main__':
    sys.exit(main(prog='search.py'))
