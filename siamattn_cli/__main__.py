"""``python -m siamattn_cli`` is ``siamattn``, with this interpreter."""
import sys

from .main import main

if __name__ == '__main__':
    sys.exit(main())
