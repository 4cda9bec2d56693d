"""Tensors in nested tuples, lists and dicts."""
from typing import NamedTuple

import numpy as np
import torch

from siamattn_mm.utils.nested_tensors import (
    batched,
    download,
    tensors_in,
    with_tensors,
)


class State(NamedTuple):
    a: torch.Tensor
    b: list


def test_nested_tensors_come_back_in_their_places():
    value = (torch.tensor(1), [None, dict(a=torch.tensor(2), b='x')],
             State(torch.tensor(3), []))
    assert [int(t) for t in tensors_in(value)] == [1, 2, 3]
    found = with_tensors(value, iter(t + 10 for t in tensors_in(value)))
    assert found == (torch.tensor(11), [None, dict(a=torch.tensor(12), b='x')],
                     State(torch.tensor(13), []))
    assert isinstance(found[2], State)


def test_batched():
    states = [State(torch.full((1, 2), i), (torch.full((1, 1), -i), None))
              for i in range(3)]
    found = batched(states)
    assert found.a.tolist() == [[0, 0], [1, 1], [2, 2]]
    assert found.b[0].flatten().tolist() == [0, -1, -2] and found.b[1] is None


def test_download():
    tensors = [torch.arange(6).view(2, 3), None, torch.ones(1).bfloat16()]
    first, nothing, last = download(tensors)
    assert first.dtype == last.dtype == np.float32 and nothing is None
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]] and last.tolist() == [1]
