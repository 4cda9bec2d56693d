"""Subnormal numbers while training."""
import pytest
import torch

from siamattn_mm.engine.hooks import FlushDenormalHook


def test_subnormal_numbers_are_zero_during_the_run_only():
    if not torch.set_flush_denormal(False):
        pytest.skip('this CPU cannot flush subnormal numbers')
    small = torch.tensor([1e-30])
    hook = FlushDenormalHook()
    hook.before_run(runner=None)
    during = small * 1e-10
    hook.after_run(runner=None)
    assert during == 0
    assert small * 1e-10 > 0
