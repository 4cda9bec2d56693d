"""Get MobileNetV2's ImageNet weights: `siamattn convert-mobilenetv2`."""
import sys

from siamattn_mm.commands.convert_mobilenetv2 import main

if __name__ == '__main__':
    sys.exit(main(prog='convert_mobilenetv2.py'))
