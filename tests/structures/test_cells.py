import pytest
import torch
import torch.nn.functional as F

from siamattn_mm.structures.cells import middle_cell


def strided(x, padding):
    """A 3x3 convolution of stride 2 that moves no centre of mass."""
    row = torch.tensor([.25, .5, .25], dtype=x.dtype)
    weight = (row[:, None] * row)[None, None] * 4
    return F.conv2d(x, weight, stride=2, padding=padding)


@pytest.mark.parametrize('size', [127, 255, 287])
@pytest.mark.parametrize('layers', [1, 2, 3])
@pytest.mark.parametrize('padding', [0, 1])
def test_it_is_where_a_dot_in_the_middle_of_a_crop_comes_out(
        size, layers, padding):
    x = torch.zeros(1, 1, size, size, dtype=torch.float64)
    x[0, 0, size // 2, size // 2] = 1
    for _ in range(layers):
        x = strided(x, padding)
    along = x[0, 0].sum(0)
    place = torch.arange(len(along), dtype=torch.float64)
    centre = (along * place).sum() / along.sum()
    assert middle_cell(len(along), 2**layers) == pytest.approx(centre.item())
    assert len(along) % 2 != padding


def test_of_the_networks_maps():
    assert middle_cell(31, 8) == 15
    assert middle_cell(32, 8) == 15.875
    assert middle_cell(64, 4) == 31.75
