"""Pictures of batches: what is drawn, where it goes, and what it leaves."""
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmtrack.registry import DATASETS, MODELS

from siamattn_mm.engine import TrainBatchImageHook
from siamattn_mm.engine.hooks.train_batch_image_hook import (
    _paste,
    predict_pairs,
)
from siamattn_mm.visualization.pair_sheet import draw_pair
from siamattn_mm.visualization.prediction_sheet import (
    PROPOSAL_COLOR,
    PairPrediction,
    draw_predicted_pair,
    overlap,
    split_batch,
)

POSITIVE, NEGATIVE, BOX_ONLY = (1, True), (0, False), (1, False)


@pytest.fixture
def pair():
    """One positive pair with a mask."""
    dataset = DATASETS.build(dict(type='NoisePairs', kinds=[POSITIVE]))
    return dataset[0]


def test_every_so_often(runner_of, tmp_path):
    kinds = [POSITIVE, NEGATIVE, BOX_ONLY] * 2
    options = {'default_hooks.train_images.interval': 2}
    runner_of(kinds, batch_size=2, epochs=2, **options).train()
    pictures = sorted(tmp_path.rglob('vis_data/vis_image/*.png'))
    assert [p.name for p in pictures
            ] == [f'train_batch_{i}.png' for i in (2, 4, 6)]
    sheet = cv2.imread(str(pictures[0]))
    # Two rows: a line of text, template, two search crops, predictions.
    height, width = 14 + 255, 131 + 2 * 259 + 259
    assert sheet.shape == (2 * height, width, 3)
    # The crops are in their own colours: grey noise is below 90.
    assert (sheet[100:200, 320:380] < 90).all()


def test_training_is_not_concerned(runner_of):
    states = []
    for interval in (0, 1):
        options = {'default_hooks.train_images.interval': interval}
        runner = runner_of([POSITIVE, NEGATIVE] * 2, **options)
        runner.train()
        assert runner.model.training and runner.model.neck.training
        states.append(runner.model.state_dict())
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_predictions_are_those_of_the_maps(small_config, pair):
    with DefaultScope.overwrite_default_scope('mmtrack'):
        model = MODELS.build(small_config.model).train()
    prediction, again = predict_pairs(model, [pair, pair])
    assert model.training
    np.testing.assert_allclose(prediction.box, again.box, atol=1e-3)
    assert 0 < prediction.score < 1
    assert prediction.mask.shape == (255, 255)
    # An anchor that sits on the truth, and a head that says so.
    with torch.no_grad():
        outs = model(
            dict(
                template=torch.zeros(1, 3, 127, 127),
                search=torch.zeros(1, 3, 255, 255)),
            mode='tensor')
    outs['cls_score'].zero_()
    middle = outs['cls_score'].shape[-1] // 2
    outs['cls_score'][0, 5 + 2, middle, middle + 1] = 9
    outs['bbox_pred'].zero_()
    model.forward = lambda *args, **kwargs: outs
    prediction = predict_pairs(model, [pair])[0]
    assert prediction.score == pytest.approx(1 / (1 + np.exp(-9)))
    # The square anchor, one cell right of the centre.
    assert prediction.proposal == pytest.approx(
        [127 + 8 - 32, 127 - 32, 127 + 8 + 32, 127 + 32])


def test_paste_covers_the_box():
    mask = _paste(np.ones((64, 64), np.float32),
                  np.array([79.5, 89.5, 169.5, 159.5]), 255)
    expected = np.zeros((255, 255), bool)
    expected[90:160, 80:170] = True
    assert np.array_equal(mask, expected)
    # Half a mask is half a box; what is outside the crop is cut off.
    half = np.zeros((64, 64), np.float32)
    half[:, :32] = 1
    mask = _paste(half, np.array([-20.5, 99.5, 19.5, 109.5]), 255)
    assert mask.sum() == 0
    mask = _paste(half[:, ::-1].copy(), np.array([-20.5, 99.5, 19.5, 109.5]),
                  255)
    assert mask.sum() == 20 * 10 and mask[100:110, :20].all()


def test_drawing(pair):
    mask = np.zeros((255, 255), bool)
    mask[10:20, 10:20] = True
    box = np.array([79.5, 89.5, 169.5, 159.5])
    prediction = PairPrediction(.5, box + 9, box, mask)
    picture = draw_predicted_pair(pair, prediction)
    panel = picture[14:, -259:-4]
    crop = pair['inputs']['search_img'][0].numpy().transpose(1, 2, 0)
    assert (panel[98, 95:170] == PROPOSAL_COLOR).all()
    tinted = panel[10:20, 10:20].astype(int) - crop[10:20, 10:20] // 2
    assert (tinted == tinted[0, 0]).all() and tinted[0, 0].max() > 100
    assert np.array_equal(panel[200:, :50], crop[200:, :50])
    # Without box and mask, only the proposal is there.
    plain = draw_predicted_pair(pair, PairPrediction(.5, box))[14:, -259:-4]
    assert np.array_equal(plain[10:20, 10:20], crop[10:20, 10:20])


def test_other_models_are_drawn_without_predictions(pair):
    pictures = {}
    runner = SimpleNamespace(
        iter=4,
        model=torch.nn.Linear(1, 1),
        visualizer=SimpleNamespace(
            add_image=lambda name, image, step: pictures.update(
                {f'{name} {step}': image})))
    batch = dict(
        inputs={k: v[None] for k, v in pair['inputs'].items()},
        data_samples=[pair['data_samples']])
    TrainBatchImageHook(interval=5).after_train_iter(runner, 4, batch)
    expected = cv2.cvtColor(draw_pair(pair), cv2.COLOR_BGR2RGB)
    assert list(pictures) == ['train_batch 5']
    assert np.array_equal(pictures['train_batch 5'], expected)


def test_overlap():
    assert overlap([0, 0, 10, 10], [0, 0, 10, 10]) == pytest.approx(1)
    assert overlap([0, 0, 10, 10], [5, 0, 15, 10]) == pytest.approx(1 / 3)
    assert overlap([0, 0, 10, 10], [20, 20, 30, 30]) == 0


def test_split_batch(pair):
    batch = dict(
        inputs={k: torch.stack([v] * 3) for k, v in pair['inputs'].items()},
        data_samples=[pair['data_samples']] * 3)
    assert len(split_batch(batch, 2)) == 2
    assert len(split_batch(batch, 9)) == 3
    first = split_batch(batch, 1)[0]['inputs']
    assert torch.equal(first['img'], pair['inputs']['img'])


def test_refused():
    with pytest.raises(ValueError, match='got -1 and 8'):
        TrainBatchImageHook(interval=-1)
