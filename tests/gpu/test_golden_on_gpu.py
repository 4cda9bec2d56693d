"""The released network on a GPU against the reference's numbers."""
import pytest
import torch
from released_network import (
    CONFIG,
    errors_of,
    official_state_dict,
    run_stages,
    stored_stages,
    write_checkpoint,
)

from siamattn_mm.apis import init_tracker

# In standard deviations, where products are rounded to 11 and 8 bits.
ROUNDED = dict(tf32=2e-2, fp16=2e-2, bf16=3e-1)


@pytest.fixture(scope='module')
def model(golden, repository, device, tmp_path_factory):
    path = tmp_path_factory.mktemp('golden') / 'released.pth'
    write_checkpoint(official_state_dict(golden), repository / CONFIG, path)
    return init_tracker(str(repository / CONFIG), str(path), str(device)).model


@pytest.mark.parametrize('pair', ['pair0', 'pair1'])
def test_every_stage_is_close(model, golden, pair):
    stored = stored_stages(golden, pair)
    worst = errors_of(run_stages(model, stored), stored, 1e-3)
    assert max(worst.values()) <= 1, worst


@pytest.mark.parametrize('precision', ROUNDED)
def test_rounded_products_are_near(model, golden, device, precision):
    stored = stored_stages(golden, 'pair0')
    types = dict(fp16=torch.float16, bf16=torch.bfloat16)
    torch.backends.cuda.matmul.allow_tf32 = precision == 'tf32'
    torch.backends.cudnn.allow_tf32 = precision == 'tf32'
    with torch.autocast(
            device.type,
            types.get(precision, torch.bfloat16),
            enabled=precision in types):
        found = run_stages(model, stored)
    worst = errors_of(found, stored, ROUNDED[precision])
    assert max(worst.values()) <= 1, worst
