"""A typed test_cfg: defaults, and what is refused."""
import re

import pytest

from siamattn_mm.models.trackers import TrackingConfig

RPN = dict(penalty_k=.04, window_influence=.44, lr=.4)


def read(**test_cfg):
    return TrackingConfig.from_cfg(dict(dict(rpn=RPN), **test_cfg))


def test_what_is_not_said_has_its_default():
    cfg = read(refine=dict(mask_thr=.5))
    assert (cfg.min_size, cfg.search_size, cfg.exemplar_size) == (10, 255, 127)
    assert cfg.refine.box and cfg.refine.mask_thr == .5
    assert cfg.rpn.lr == .4 and cfg.rpn.vote_iou is None
    assert cfg.exact_crop is False and read(exact_crop=True).exact_crop
    assert cfg.refine.mask_scale == 1 and cfg.report.shares == (0, 0, 1)
    assert cfg.report.lr is None and cfg.report.mask_share == 0
    assert cfg.precision == 'fp32' and cfg.fold_norms and not cfg.compile


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError):
        read().min_size = 5


@pytest.mark.parametrize('test_cfg, said', [
    (dict(serach_size=255), "test_cfg has no 'serach_size'.*'search_size'"),
    (dict(rpn=dict(RPN, vote_io=.6)), "test_cfg.rpn has no.*'vote_iou'"),
    (dict(refine=dict(mask_th=.6)), "test_cfg.refine has no.*'mask_thr'"),
    (dict(rpn=dict(RPN, hold_scroe=.3)), "if 'hold_score' is meant, it is now"
     r".*model.online: dict\(type='TargetPresence'"),
    (dict(rpn=dict(RPN, hold_score=.3)), "test_cfg.rpn.hold_score is now.*"
     r"model.online: dict\(type='TargetPresence'"),
    (dict(rpn=dict(RPN, filter_influence=.3)), "type='CorrelationFilter'"),
    (dict(rpn=dict(RPN, calibration=.3)), "type='BoxCalibration'"),
    (dict(rpn=dict(lr=.3)), 'rpn lacks penalty_k, window_influence'),
    (dict(refine=dict(mask_scale=0)), 'mask_scale must be more than 0.*0'),
    (dict(report=dict(share=.5)), "test_cfg.report has no 'share'.*'shares'"),
    (dict(report=dict(shares=(.5, .5))), r'shares must be three.*\(0.5, 0.5'),
    (dict(report=dict(shares=(1., 1., -1.))), 'shares must be.*make 1'),
    (dict(report=dict(shares=(.5, .5, .5))), 'shares must be.*make 1'),
    (dict(report=dict(shares=.5)), 'shares must be three.*0.5'),
    (dict(report=dict(shares=('a', 'b', 'c'))), "shares must be three.*'a'"),
    (dict(report=dict(lr=1.5)), r'report.lr must be in 0\.\.1.*1.5'),
    (dict(report=dict(mask_share=-.1)), r'mask_share must be in 0\.\.1.*-0.1'),
    (dict(report=dict(mask_iou='x')), r"mask_iou must be in 0\.\.1.*'x'"),
    (dict(report=dict(mask_calibration=2)),
     r'mask_calibration must be in 0\.\.1.*2'),
    *((dict(report=dict(mask_trust=bad)), r'mask_trust must be two overlaps.*'
       + re.escape(repr(bad)))
      for bad in (.5, (.5, ), (.9, .6), (.5, .5), (-.1, .5), (.5, 1.1),
                  (.1, .2, .3), 'ab')),
    (dict(precision='int4'), 'precision must be one of.*int4'),
])
def test_what_is_not_known_is_refused(test_cfg, said):
    with pytest.raises(ValueError, match=said):
        read(**test_cfg)
