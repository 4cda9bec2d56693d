"""Training loops through a real Runner: logs, odd batches, validation."""
import json
import re

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from siamattn_mm.evaluation.metrics import OPEMetric
from siamattn_mm.utils.image_draws import DrawOrder

POSITIVE, NEGATIVE, BOX_ONLY = (1, True), (0, False), (1, False)
IOUS = {'proposal_iou', 'refined_iou', 'mask_iou'}
LOSSES = {
    'loss', 'loss_rpn_cls', 'loss_rpn_bbox', 'loss_refine_box',
    'loss_refine_mask'
}


class Outputs(Hook):
    """Keeps what the model gives in each iteration."""

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None,
                         outputs=None):
        self.seen.append(
            {name: float(value.detach()) for name, value in outputs.items()})


def train(runner):
    """Run it; gives the outputs of each iteration."""
    hook = Outputs()
    runner.register_hook(hook)
    runner.train()
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
    return hook.seen


def scalars(folder):
    """Lines of the training log."""
    path, = folder.rglob('vis_data/scalars.json')
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_logged(runner_of, tmp_path, repository):
    pytest.importorskip('tensorboard')
    # Two backends, as configs/_base_/tensorboard.py has them.
    backends = Config.fromfile(
        str(repository / 'configs/_base_/tensorboard.py')).visualizer
    options = {
        'visualizer.vis_backends': backends.vis_backends,
        'default_hooks.logger.interval': 3
    }
    # The last batch is half a one; one of the three has no mask.
    kinds = [POSITIVE, NEGATIVE, BOX_ONLY, NEGATIVE, POSITIVE]
    outputs = train(runner_of(kinds, **options))
    line, = scalars(tmp_path)
    assert LOSSES | IOUS | {'lr', 'data_time', 'time', 'grad_norm'} <= set(
        line)
    # Means over all iterations since the last line that have the figure.
    for name in LOSSES | IOUS:
        values = [out[name] for out in outputs if name in out]
        assert len(values) == (2 if name == 'mask_iou' else 3)
        assert line[name] == pytest.approx(np.mean(values), abs=1e-5), name
    text = ''.join(p.read_text() for p in tmp_path.rglob('*.log'))
    for name in LOSSES | IOUS | {'data_time', 'time'}:
        assert re.search(rf' {name}: \d+\.\d+', text), name

    reader = pytest.importorskip(
        'tensorboard.backend.event_processing.event_accumulator')
    event_file, = tmp_path.rglob('events.out.tfevents*')
    events = reader.EventAccumulator(str(event_file)).Reload()
    assert LOSSES | IOUS <= set(events.Tags()['scalars'])
    assert events.Scalars('loss')[0].value == pytest.approx(line['loss'])


@pytest.mark.parametrize('kinds', [[NEGATIVE] * 3, [BOX_ONLY] * 3],
                         ids=['negatives', 'no masks'])
def test_odd_batches(runner_of, kinds):
    outputs = train(runner_of(kinds))
    assert len(outputs) == 2  # the last one is half a batch
    for out in outputs:
        assert LOSSES <= set(out)
        assert all(np.isfinite(value) for value in out.values())
        assert out['loss_refine_mask'] == 0
        assert set(out) & IOUS == (
            set() if kinds[0] is NEGATIVE else IOUS - {'mask_iou'})


def test_accumulated_gradients_are_those_of_a_bigger_batch(
        runner_of, monkeypatch):
    # What is drawn, and norms over a batch, would differ.
    for head in ('siamese_rpn_head', 'refinement_rois'):
        monkeypatch.setattr(
            f'siamattn_mm.models.heads.{head}.draw_order',
            lambda num, places: DrawOrder(
                torch.arange(places), torch.zeros(num, dtype=torch.long)))
    weights = []
    for batch_size, counts in ((2, 1), (1, 2)):
        runner = runner_of(
            [POSITIVE, POSITIVE],
            batch_size=batch_size,
            **{
                'optim_wrapper.accumulative_counts': counts,
                'optim_wrapper.clip_grad': None,
                # The hardest pixels of one image, or of two.
                'model.refine_head.loss_mask.hard_ratio': 1.
            })
        runner.register_hook(_StillNorms())
        train(runner)
        weights.append(runner.model.state_dict())
    start = runner_of([POSITIVE]).model
    start.init_weights()
    moved = 0
    for name, value in weights[0].items():
        if value.is_floating_point():
            torch.testing.assert_close(value, weights[1][name],
                                       rtol=1e-4, atol=1e-6)
            moved += not torch.equal(value, start.state_dict()[name])
    assert moved > 50


class _StillNorms(Hook):
    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if isinstance(module, _BatchNorm):
                module.eval()


@pytest.fixture
def sequences(tmp_path):
    """Two sequences of three frames."""
    root = tmp_path / 'sequences'
    for name in 'ab':
        (root / name / 'img').mkdir(parents=True)
        (root / name / 'groundtruth.txt').write_text('20,20,16,12\n' * 3)
        for i in range(3):
            image = np.full((60, 80, 3), 40, np.uint8)
            image[20:32, 20:36] = 200
            cv2.imwrite(str(root / name / 'img' / f'{i}.png'), image)
    return str(root)


def validation(repository, root):
    """Options of a validation, with the names of the repository's config."""
    cfg = Config.fromfile(
        str(repository / 'configs/_base_/datasets/sot_folder.py'))
    dataloader = cfg.val_dataloader
    dataloader.num_workers = 0
    dataloader.dataset.data_root = root
    return dict(
        val_dataloader=dataloader,
        val_evaluator=cfg.val_evaluator,
        val_cfg=cfg.val_cfg)


@pytest.mark.parametrize('ema', [False, True])
def test_validation_keeps_the_best(runner_of, repository, sequences, tmp_path,
                                   monkeypatch, ema):
    options = validation(repository, sequences)
    if ema:
        options['custom_hooks'] = [
            dict(type='EMAHook', momentum=.3, update_buffers=True)
        ]
    options['optim_wrapper.optimizer.lr'] = .01
    runner = runner_of(
        [POSITIVE, NEGATIVE], batch_size=1, epochs=2, **options)
    # In truth this model is equally bad after each epoch.
    figures = iter((.4, .3))
    monkeypatch.setattr(OPEMetric, 'compute_metrics',
                        lambda self, results: dict(success=next(figures)))
    watch = _Watch()
    runner.register_hook(watch)
    train(runner)

    best, = (tmp_path / 'work').glob('best_*.pth')
    assert best.name == 'best_sot_success_epoch_1.pth'
    saved = torch.load(str(best), weights_only=False)['state_dict']
    assert len(watch.validated) == 2 and watch.frames == 2 * 6
    for name, value in saved.items():
        assert torch.equal(value, watch.validated[0][name]), name
    # The average where there is one, the trained weights elsewhere.
    name = 'head.cls_heads.0.kernel_convs.conv.weight'
    same = torch.equal(watch.validated[0][name], watch.trained[0][name])
    assert same != ema
    # After the validation training goes on with its own weights.
    assert torch.equal(watch.trained[0][name], watch.resumed[1][name])


class _Watch(Hook):
    """Weights after training, in validation and when training goes on."""

    priority = 'LOWEST'

    def __init__(self):
        self.trained, self.validated, self.resumed = [], [], []
        self.frames = 0

    @staticmethod
    def _weights(runner):
        return {k: v.clone() for k, v in runner.model.state_dict().items()}

    def before_train_epoch(self, runner):
        self.resumed.append(self._weights(runner))

    def after_train_epoch(self, runner):
        self.trained.append(self._weights(runner))

    def before_val_epoch(self, runner):
        self.validated.append(self._weights(runner))

    def after_val_iter(self, runner, batch_idx, data_batch=None,
                       outputs=None):
        assert not runner.model.training
        assert torch.isfinite(outputs[0].pred_track_instances.bboxes).all()
        self.frames += 1
