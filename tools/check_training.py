"""Show that training can be killed, and spread: `siamattn check-training`."""
import sys

from siamattn_mm.commands.check_training import main

if __name__ == '__main__':
    sys.exit(main(prog=sys.argv[0]))
