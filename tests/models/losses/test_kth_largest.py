"""The k-th largest value, against sorting."""
import pytest
import torch

from siamattn_mm.models.losses.kth_largest import kth_largest


@pytest.mark.parametrize('k', [1, 2, 250, 499, 500])
def test_is_that_of_a_sorted_list(k):
    values = torch.cat([
        torch.rand(300) * 1e-3, torch.rand(100) * 50, torch.zeros(50),
        torch.full((48, ), 0.7), torch.tensor([1e-42, float('inf')])
    ])[torch.randperm(500)].view(5, 100)
    expected = values.flatten().sort(descending=True)[0][k - 1]
    found = kth_largest(values, k)
    assert found.dtype == torch.float32 and found.dim() == 0
    assert found == expected


def test_nan_is_the_largest_and_zero_has_no_sign():
    values = torch.tensor([-0., 3., float('nan'), 0., -float('nan')])
    assert kth_largest(values, 1).isnan() and kth_largest(values, 2).isnan()
    assert kth_largest(values, 3) == 3 and kth_largest(values, 4) == 0


def test_strides_do_not_matter():
    values = torch.rand(6, 8)
    assert kth_largest(values.t()[::2], 5) == kth_largest(
        values.t()[::2].clone(), 5)
