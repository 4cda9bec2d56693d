"""Our one-pass figures against got10k's, our mask IoU against COCO's."""
import numpy as np
import pytest

from siamattn_mm.evaluation.functional import (
    average_overlap,
    box_iou,
    box_iou_inside,
    center_error,
    precision_curve,
    region_similarity,
    success_curve,
    success_rate,
)


@pytest.fixture()
def boxes():
    """(200, 4) predicted and true x, y, w, h."""
    rng = np.random.default_rng(0)
    truth = np.concatenate(
        [rng.uniform(0, 80, (200, 2)), rng.uniform(5, 60, (200, 2))], axis=1)
    pred = truth + rng.normal(0, 8, truth.shape)
    pred[:, 2:] = np.maximum(pred[:, 2:], 1)
    pred[:10], truth[10:15] = truth[:10], pred[10:15]
    return pred, truth


def report(capsys, what, difference):
    """Print the largest difference, and compare it."""
    with capsys.disabled():
        print(f'\n{what}: largest difference {difference:.1e}')
    assert difference < 1e-6, f'{what}: largest difference {difference}'


def test_overlap_and_centre_error_of_got10k(boxes, capsys):
    theirs = pytest.importorskip(
        'got10k.utils.metrics', reason='got10k is not installed')
    pred, truth = boxes
    report(capsys, 'box IoU, got10k',
           np.abs(box_iou(pred, truth) - theirs.rect_iou(pred, truth)).max())
    # Many of them end outside of this image.
    size = (70, 60)
    report(
        capsys, 'box IoU inside the image, got10k',
        np.abs(
            box_iou_inside(pred, truth, size) -
            theirs.rect_iou(pred.copy(), truth.copy(), bound=size)).max())
    # Its centres are half a pixel off, in both boxes.
    report(
        capsys, 'centre error, got10k',
        np.abs(center_error(pred, truth) -
               theirs.center_error(pred, truth)).max())


def test_figures_of_got10k(boxes, capsys):
    experiments = pytest.importorskip(
        'got10k.experiments', reason='got10k is not installed')
    metrics = pytest.importorskip('got10k.utils.metrics')
    iou = box_iou(*boxes)
    ao, sr, _, curve = experiments.ExperimentGOT10k._evaluate(
        None, metrics.rect_iou(*boxes)[1:], [])
    report(capsys, 'AO, got10k', abs(average_overlap(iou) - ao))
    report(capsys, 'SR0.5, got10k', abs(success_rate(iou, .5) - sr))
    report(capsys, 'SR0.75, got10k', abs(success_rate(iou, .75) - curve[75]))

    otb = experiments.ExperimentOTB.__new__(experiments.ExperimentOTB)
    otb.nbins_iou, otb.nbins_ce = 21, 51
    success, precision = otb._calc_curves(*otb._calc_metrics(*boxes))
    report(capsys, 'success curve, got10k',
           np.abs(success_curve(iou) - success).max())
    report(capsys, 'precision curve, got10k',
           np.abs(precision_curve(center_error(*boxes)) - precision).max())


def test_overlaps_of_pycocotools(boxes, capsys):
    mask_utils = pytest.importorskip('pycocotools.mask')
    pred, truth = boxes
    theirs = mask_utils.iou(list(pred), list(truth), [0] * len(truth))
    report(capsys, 'box IoU, pycocotools',
           np.abs(box_iou(pred, truth) - theirs.diagonal()).max())

    rng = np.random.default_rng(1)
    masks = rng.random((2, 20, 30, 40)) < rng.random((2, 20, 1, 1))
    masks[0, 0] = masks[1, 1] = False
    pred_codes, truth_codes = (
        [mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))
         for mask in each] for each in masks)
    theirs = mask_utils.iou(pred_codes, truth_codes, [0] * 20).diagonal()
    ours = np.array([region_similarity(*pair) for pair in zip(*masks)])
    report(capsys, 'region similarity J, pycocotools',
           np.abs(ours - theirs).max())
