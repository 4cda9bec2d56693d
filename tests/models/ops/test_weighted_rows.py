"""Weighted sums of rows against the obvious way."""
import pytest
import torch
from torch.testing import assert_close

from siamattn_mm.models.ops.weighted_rows import weighted_rows


def inputs(bags=7, size=4, rows=5, channels=3, dtype=torch.float64):
    torch.manual_seed(0)
    index = torch.randint(0, rows, (bags, size))
    weight = torch.randn(bags, size, dtype=dtype)
    return index, weight, torch.randn(rows, channels, dtype=dtype)


# Rows that no sum reads, and rows that one sum reads twice.
@pytest.mark.parametrize('rows', [1, 5, 50])
def test_sums_and_gradients(rows):
    index, weight, table = inputs(rows=rows)
    weight.requires_grad_()
    table.requires_grad_()
    found = weighted_rows(index, weight, table)
    expected = (table[index] * weight.unsqueeze(-1)).sum(1)
    assert_close(found, expected)
    upstream = torch.randn_like(expected)
    for ours, theirs in zip(
            torch.autograd.grad(found, (weight, table), upstream),
            torch.autograd.grad(expected, (weight, table), upstream)):
        assert_close(ours, theirs)


@pytest.mark.parametrize('needed', ['weight', 'rows'])
def test_gradient_of_one_alone(needed):
    index, weight, table = inputs(dtype=torch.float32)
    leaf = (weight if needed == 'weight' else table).requires_grad_()
    expected = (table[index] * weight.unsqueeze(-1)).sum()
    found = weighted_rows(index, weight, table).sum()
    assert_close(*(torch.autograd.grad(out, leaf)[0]
                   for out in (found, expected)))


def test_no_sums():
    _, _, table = inputs()
    table.requires_grad_()
    index, weight = torch.zeros(0, 4, dtype=torch.long), table.new_zeros(0, 4)
    found = weighted_rows(index, weight, table)
    assert found.shape == (0, 3)
    assert not torch.autograd.grad(found.sum(), table)[0].any()
