"""What a training step is made of, and the config it comes from."""
import pytest
import torch

from siamattn_mm.benchmark import BenchmarkError
from siamattn_mm.benchmark import train_step as module
from siamattn_mm.benchmark.synthetic_pairs import synthetic_pairs
from siamattn_mm.benchmark.train_step import (
    STAGES,
    StepSpec,
    TrainStep,
    measure_data,
)


@pytest.fixture
def spec(repository):
    return StepSpec(
        str(repository / 'tests' / 'small_training.py'), batch_size=2)


def test_pairs_are_made_by_rule():
    pairs, again = synthetic_pairs(10), synthetic_pairs(10)
    for one, two in zip(pairs, again):
        assert torch.equal(one['inputs']['search_img'],
                           two['inputs']['search_img'])
    found = [pair['data_samples'].search_gt_instances for pair in pairs]
    assert [int(one.labels) for one in found] == [1, 1, 1, 1, 0] * 2
    assert ['masks' in one for one in found] == [True, False] * 5
    for one in found:
        x1, y1, x2, y2 = one.bboxes[0].tolist()
        assert 0 <= x1 < x2 <= 254 and 0 <= y1 < y2 <= 254
    mask = found[0].masks.masks[0]
    x1, y1, x2, y2 = found[0].bboxes[0].int().tolist()
    assert mask[y1:y2, x1:x2].mean() > .6
    assert mask.sum() == mask[y1:y2 + 1, x1:x2 + 1].sum()


def test_a_step_trains(spec):
    step = TrainStep(spec)
    assert step.precision == 'float32'
    assert type(step.batches[0]['data_samples'][0]).__name__ == (
        'TrackDataSample')
    before = [p.detach().clone() for p in step.model.parameters()]
    seconds = step.stages(1)
    assert list(seconds) == list(STAGES)
    assert any(not torch.equal(a, b)
               for a, b in zip(before, step.model.parameters()))
    # Nothing is left of the hooks.
    assert 'step' not in vars(step.optim_wrapper)
    assert '_run_forward' not in vars(step.model)
    assert 'forward' not in vars(step.model.data_preprocessor)


def test_a_model_without_refinement(spec):
    step = TrainStep(
        spec._replace(
            options={'model.refine_head': None}, batch_size=1, amp='auto'))
    assert step.precision == 'bfloat16'
    assert step.trained['trained'] <= step.trained['all']
    assert set(step.stages(1)) == set(STAGES)


def test_the_configs_own_data(spec):

    class Loader:
        """Three batches an epoch."""

        def __iter__(self):
            return iter([1, 2, 3])

    step = spec.read()
    assert 'no folder' in measure_data(step, 2)['left_out']
    asked = []

    def build(loader, seed):
        asked.append(loader['num_workers'])
        return Loader()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Runner, 'build_dataloader', build)
        assert measure_data(step, 4, workers=2)['ms'] > 0
        assert measure_data(step, 1)['workers'] == 1
    assert asked == [2, 1]


def test_half_precision_where_mmengine_sees_another_device(
        spec, monkeypatch):
    monkeypatch.setattr(module, 'get_device', lambda: 'cuda')
    with pytest.raises(BenchmarkError, match='CUDA_VISIBLE_DEVICES='):
        spec._replace(amp='auto').read()
    assert spec.read().optim_wrapper.type == 'OptimWrapper'
