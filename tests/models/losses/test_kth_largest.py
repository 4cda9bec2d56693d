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
    found = kth_largest(values, torch.tensor(k))
    assert found.dtype == torch.float32 and found.dim() == 0
    assert found == expected


def test_nan_is_the_largest_and_zero_has_no_sign():
    values = torch.tensor([-0., 3., float('nan'), 0., -float('nan')])
    found = [kth_largest(values, torch.tensor(k)) for k in range(1, 5)]
    assert found[0].isnan() and found[1].isnan()
    assert found[2:] == [3, 0]


def test_strides_do_not_matter():
    values = torch.rand(6, 8)
    k = torch.tensor(5)
    assert kth_largest(values.t()[::2], k) == kth_largest(
        values.t()[::2].clone(), k)
