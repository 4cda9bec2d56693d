"""Boxes against a teacher's: who learns, and what."""
import pytest
import torch
from mmtrack.registry import MODELS
from torch.testing import assert_close

from siamattn_mm.models.losses.teacher_box_loss import TeacherMaps

CELLS, STRIDE, MIDDLE = 15, 16, 127
GT = torch.tensor([[90., 80., 160., 170.]])


def build(**kwargs):
    return MODELS.build(dict(type='TeacherBoxLoss', **kwargs))


def maps_of(box, score=1., num=1):
    """A teacher that says the same everywhere."""
    bboxes = torch.tensor(box).expand(num, CELLS, CELLS, 4).clone()
    return TeacherMaps(torch.full((num, CELLS, CELLS), score), bboxes)


def boxes_at(*centres, w=70., h=90.):
    """Anchors, xyxy, around places in crop pixels."""
    middle = torch.tensor(centres)
    half = torch.tensor([w, h]) / 2
    return torch.cat([middle - half, middle + half], 1)


def targets(loss, anchors, maps, gt=GT, positive=True):
    count = len(maps.scores)
    return loss.targets(anchors, maps, gt.expand(count, -1),
                        torch.tensor([positive] * count), MIDDLE)


# -- what is learnt ------------------------------------------------------


def ramp():
    """A teacher whose boxes are its cells' places, moved and shrunk."""
    places = (torch.arange(CELLS) - CELLS // 2) * STRIDE + MIDDLE
    y, x = (v.float() for v in torch.meshgrid(places, places, indexing='ij'))
    bboxes = torch.stack([x - 40, y - 50, x + 30, y + 40 + x / 8], -1)
    return TeacherMaps(torch.ones(1, CELLS, CELLS), bboxes[None])


@pytest.mark.parametrize('x, y', [(127., 127.), (127. + 16, 127. - 32),
                                  (131., 122.), (119., 140.5)])
def test_boxes_of_cells_and_between_them(x, y):
    anchors = boxes_at((x, y))
    expected = [x - 40, y - 50, x + 30, y + 40 + x / 8]
    index, boxes, weights = targets(
        build(), anchors, ramp(), torch.tensor([expected]))
    assert index.tolist() == [[0]] and weights.tolist() == [[1.]]
    assert_close(boxes, torch.tensor([[expected]]))


def test_interpolation_is_between_neighbours_alone():
    maps = maps_of(GT[0].tolist())
    # A cell that says something else, in its place and half way to it.
    maps.bboxes[0, 7, 8] += torch.tensor([8., 0, 0, 0])
    for x, left in ((127 + 16, 98.), (127 + 8, 94.), (127 + 4, 92.),
                    (127 + 32, 90.), (127 - 16, 90.)):
        boxes = targets(
            build(min_iou=.1), boxes_at((float(x), 127.)), maps)[1]
        assert_close(boxes[0, 0], torch.tensor([left, 80, 160, 170]))


def test_a_map_that_is_not_square():
    places = [(torch.arange(n) - n // 2) * STRIDE + MIDDLE for n in (9, 13)]
    y, x = (v.float() for v in torch.meshgrid(*places, indexing='ij'))
    maps = TeacherMaps(
        torch.ones(1, 9, 13), torch.stack([x - 35, y - 45, x + 35, y + 45],
                                          -1)[None])
    anchors = boxes_at((141., 117.))
    assert_close(targets(build(), anchors, maps, anchors)[1][0], anchors)


def test_outside_of_the_map_its_border_counts():
    maps = maps_of([10., 80., 60., 170.])
    anchors = boxes_at((2., 127.), w=60.)
    gt = torch.tensor([[10., 80., 60., 170.]])
    index, boxes, weights = targets(build(min_iou=.2), anchors, maps, gt)
    assert_close(boxes[0], gt)
    assert weights.tolist() == [[1.]]


# -- who learns ----------------------------------------------------------


def test_anchors_that_fit_best():
    # Around the teacher's box, further away, and elsewhere.
    anchors = boxes_at((125., 125.), (135., 125.), (145., 125.), (20., 20.))
    index, boxes, weights = targets(build(), anchors, maps_of(GT[0].tolist()))
    learn = dict(zip(index[0].tolist(), weights[0].tolist()))
    assert learn[0] > learn[1] > learn[2] > learn[3] == 0
    assert sum(learn.values()) == pytest.approx(1)
    # In proportion to how well they fit: 1, 60 / 80 and 50 / 90.
    assert learn[1] / learn[0] == pytest.approx(60 / 80, rel=1e-4)
    assert learn[2] / learn[0] == pytest.approx(50 / 90, rel=1e-4)


def test_no_more_than_asked_for():
    anchors = boxes_at(*((120. + i, 125.) for i in range(12)))
    for num, expected in ((5, 5), (50, 12)):
        index, _, weights = targets(
            build(num=num), anchors, maps_of(GT[0].tolist()))
        assert index.shape == weights.shape == (1, expected)
        assert len(set(index[0].tolist())) == expected
        assert 5 in index  # the best one
        assert_close(weights.sum(), torch.tensor(1.))


@pytest.mark.parametrize('score, learns', [(.49, False), (.51, True)])
def test_what_the_teacher_is_sure_of(score, learns):
    weights = targets(
        build(), boxes_at((125., 125.)), maps_of(GT[0].tolist(), score))[2]
    assert bool(weights.any()) == learns


def test_scores_are_interpolated_too():
    maps = maps_of(GT[0].tolist())
    maps.scores[0, :, 8:] = 0.
    anchors = boxes_at((129., 127.), (137., 127.))
    index, _, weights = targets(build(), anchors, maps)
    # An eighth of the way to nothing, and five.
    assert index[0, 0] == 0 and weights.tolist() == [[1., 0.]]


@pytest.mark.parametrize('shift, learns', [(0, True), (20, True),
                                           (30, False), (200, False)])
def test_the_annotation_has_the_last_word(shift, learns):
    # Overlaps of 1, 50 / 90, 40 / 100 and 0.
    gt = GT + torch.tensor([shift, 0, shift, 0])
    weights = targets(
        build(), boxes_at((125., 125.)), maps_of(GT[0].tolist()), gt)[2]
    assert bool(weights.any()) == learns


def test_two_objects_teach_nothing():
    loss = build()
    anchors = boxes_at((125., 125.), (135., 125.))
    index, boxes, weights = targets(
        loss, anchors, maps_of(GT[0].tolist()), positive=False)
    assert not weights.any()
    found = (anchors + 9.).requires_grad_()
    value = loss(found, boxes[0], weights[0])
    value.backward()
    assert value == 0 and not found.grad.any()


def test_weights_are_those_of_a_mean_over_images():
    """Each image counts the same, however many anchors learn in it."""
    maps = maps_of(GT[0].tolist(), num=4)
    maps.scores[2] = .1
    maps.bboxes[3] += 20.
    maps.scores[3] = .6
    anchors = boxes_at((125., 125.), (135., 125.), (148., 125.))
    gt = GT.expand(4, -1).clone()
    gt[3] += 20.
    weights = build().targets(
        anchors, maps, gt, torch.tensor([True, False, True, True]), MIDDLE)[2]
    assert_close(weights.sum(1), torch.tensor([.25, 0, 0, .25]))


# -- how far they are off ------------------------------------------------


def test_no_loss_where_boxes_agree():
    boxes = boxes_at((125., 125.), (60., 90.))
    value = build()(boxes.clone(), boxes, torch.tensor([.3, .7]))
    assert_close(value, torch.tensor(0.), atol=1e-6, rtol=0)


def test_is_giou_and_shares_of_the_sides():
    wanted = torch.tensor([[0., 0., 40., 80.]])
    found = torch.tensor([[0., 0., 40., 40.]])
    one = torch.ones(1)
    # Half of the box, and one edge of it by half of its height.
    assert_close(build()(found, wanted, one), torch.tensor(.5 + .5 * .5))
    assert_close(build(edge_weight=2.)(found, wanted, one),
                 torch.tensor(.5 + 2 * .5))
    assert_close(build(loss_weight=3.)(found, wanted, one / 2),
                 torch.tensor(3 * .75 / 2))
    # The same in a crop of twice the size.
    assert_close(build()(2 * found, 2 * wanted, one), torch.tensor(.75))


def test_the_sum_is_weighted():
    wanted, weights = boxes_at((125., 125.), (60., 90.)), torch.tensor([.3, 0])
    found = (wanted + torch.tensor([5., 0, 0, 0])).requires_grad_()
    build()(found, wanted, weights).backward()
    assert found.grad[0, 0] > 0 and not found.grad[1].any()


def test_a_box_without_area_has_a_finite_loss():
    wanted = torch.tensor([[10., 10., 10., 10.]])
    found = torch.tensor([[30., 20., 20., 25.]], requires_grad=True)
    value = build()(found, wanted, torch.ones(1))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(found.grad).all()


def test_following_it_leads_to_the_teachers_box():
    loss, wanted = build(), boxes_at((125., 125.))
    found = torch.tensor([[70., 95., 130., 150.]], requires_grad=True)
    optimizer = torch.optim.Adam([found], lr=1.)
    for _ in range(200):
        optimizer.zero_grad()
        loss(found, wanted, torch.ones(1)).backward()
        optimizer.step()
    assert (found - wanted).abs().max() < 2
