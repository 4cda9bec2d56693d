"""Write a tracker's network as ONNX files: `siamattn export`."""
import sys

from siamattn_mm.commands.export import main

if __name__ == '__main__':
    sys.exit(main(prog='export.py'))
