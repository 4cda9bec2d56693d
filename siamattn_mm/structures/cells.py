"""Where the middle of a crop lies in its feature maps."""


def middle_cell(cells: int, stride: int) -> float:
    """Cell of a map that looks at the middle of the crop.

    Crops have a side of an odd number of pixels, 255 and 127. A network
    without padding gives an odd number of cells, the middle one of which
    looks at the crop's middle. One that pads, as MobileNetV2 does, gives an
    even number: of stride s, cell i looks at pixel s * i, and the middle of a
    crop of s * cells - 1 pixels is 1 / s short of cell cells / 2; for 255
    pixels and a stride of 8 that is 15.875, neither 15.5 nor 16.

    Args:
        cells (int): Along a side of the map.
        stride (int): Of the map, in crop pixels.

    Returns:
        float: Counted from 0 at the middle of the first cell.
    """
    if cells % 2:
        return (cells - 1) / 2
    return cells / 2 - 1 / stride
