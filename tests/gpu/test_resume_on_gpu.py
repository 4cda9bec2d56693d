"""Training that goes on on another device than it began on."""
import os
import re
import subprocess
import sys

import pytest
import torch
from fake_layouts import make_folder

from siamattn_mm.utils import load_weights

CONFIG = 'tests/small_training.py'


@pytest.fixture
def train(repository, tmp_path):
    """Train up to an epoch on a device; gives the checkpoint's content."""
    root = make_folder(str(tmp_path / 'video'))
    work_dir = tmp_path / 'work'

    def run(device, epochs):
        env = dict(os.environ, PYTHONPATH=str(repository), OMP_NUM_THREADS='2')
        if device.type == 'cpu':
            env['CUDA_VISIBLE_DEVICES'] = ''
        done = subprocess.run(
            [
                sys.executable, 'tools/train.py', CONFIG, '--resume', '--amp',
                '--work-dir', str(work_dir), '--cfg-options',
                f'train_dataloader.dataset.sources.video.data_root={root}',
                'train_dataloader.dataset.sources.video.pairs_per_epoch=4',
                f'train_cfg.max_epochs={epochs}'
            ],
            cwd=str(repository),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True)
        assert done.returncode == 0, done.stdout[-3000:]
        first = re.search(r'device: (\w+)', done.stdout).group(1)
        assert (first == 'cpu') == (device.type == 'cpu')
        if epochs > 1:
            assert f'resumed epoch: {epochs - 1}' in done.stdout
        return load_weights(str(work_dir / f'epoch_{epochs}.pth'))

    return run


def test_from_the_cpu_to_the_gpu_and_back(device, train):
    """With mixed precision: a GPU scales losses, and the CPU does not."""
    cpu = torch.device('cpu')
    before = train(cpu, 1)
    for epoch, place in ((2, device), (3, cpu)):
        after = train(place, epoch)
        # Moments and steps of the optimizer go on.
        states = after['optimizer']['state']
        assert len(states) == len(before['optimizer']['state']) > 100
        assert {int(state['step']) for state in states.values()} == {2 * epoch}
        moved = 0
        for name, value in after['state_dict'].items():
            assert torch.isfinite(value.float()).all(), name
            moved += not torch.equal(value.cpu(),
                                     before['state_dict'][name].cpu())
        assert moved > 100
        print(f'epoch {epoch} on {place}: {moved} tensors moved', end='; ')
        before = after
    print()
