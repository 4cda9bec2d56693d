"""The device that is taken where none is named."""
import pytest
import torch

from siamattn_mm.utils.devices import (
    check_device,
    default_device,
    describe_device,
    device_of,
)


@pytest.fixture(autouse=True)
def _asked_anew():
    default_device.cache_clear()
    yield
    default_device.cache_clear()


def test_without_a_gpu_it_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert default_device() == 'cpu'
    assert describe_device(check_device(None)) == 'cpu'


def test_a_gpu_that_does_not_work_is_left_out_with_one_warning(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    make = torch.zeros

    def fail(*size, device='cpu'):
        if str(device).startswith('cuda'):
            raise RuntimeError('no kernel image is available\nmore')
        return make(*size)

    monkeypatch.setattr(torch, 'zeros', fail)
    with pytest.warns(UserWarning, match='no kernel image.*; install') as all_:
        assert check_device(None).type == 'cpu'
        assert default_device() == 'cpu'
    assert len(all_) == 1


def test_what_cannot_be_used_is_named():
    with pytest.raises(ValueError, match="device 'nowhere'"):
        check_device('nowhere')


def test_where_a_model_is():
    assert device_of(torch.nn.Linear(1, 1, device='meta')).type == 'meta'
    assert device_of(torch.nn.Identity()).type == 'cpu'
    assert device_of(object()).type == 'cpu'
