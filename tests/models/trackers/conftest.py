"""A network that says what a test wants."""
import numpy as np
import pytest
import torch
from anchor_generator import build_anchor_generator
from mmengine.registry import init_default_scope
from mmtrack.registry import TASK_UTILS

from siamattn_mm.models.trackers import (
    Runtime,
    SearchOutput,
    TrackingConfig,
    TrackingSession,
)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmtrack')


class Scripted(Runtime):
    """Sees what it is told to, whatever the crops show.

    Attributes:
        things (list): (box, score): cxcywh in crop pixels from the crop's
            middle, 0..1.
        crops (np.ndarray): (N, S, S, 3) uint8, what it was shown last.
    """
    crops = None

    def __init__(self, *parts):
        super().__init__([TASK_UTILS.build(part) for part in parts],
                         build_anchor_generator())
        self.things = []

    def template(self, crop):
        return crop

    def search(self, templates, crops, learnt):
        self.crops = crops
        logits = np.full((len(crops), 10, 25, 25), -20.)
        logits[:, :5] = 20.
        deltas = np.zeros((len(crops), 4, 5, 25, 25))
        for i, (box, score) in enumerate(self.things):
            # Each has a cell of its own; that of the squares of 64.
            row, column = 11 + i % 3, 11 + i // 3
            score = np.clip(score, 1e-9, 1 - 1e-9)
            logits[:, 2, row, column] = 0
            logits[:, 7, row, column] = np.log(score / (1 - score))
            place = 8 * np.array([column - 12, row - 12])
            deltas[:, :, 2, row, column] = [
                *(np.asarray(box[:2]) - place) / 64,
                *np.log(np.asarray(box[2:]) / 64)
            ]
        generator = torch.Generator().manual_seed(0)
        maps = [
            torch.randn(len(crops), 3, side, side, generator=generator)
            for side in (64, 64, 32, 32, 32)
        ]
        features = tuple(
            part.features(maps[:2], maps[2:]) for part in self.parts)
        responses = [r if r is None else r.numpy()
                     for r in self.respond(features, learnt, 25)]
        return SearchOutput(logits, deltas.reshape(len(crops), 20, 25, 25),
                            tuple(responses), features, None)


@pytest.fixture
def scripted():
    """Makes a session that follows what a script says, and its script.

    ``scripted(part, test_cfg=dict(min_size=5), lr=.5)``; numbers of
    ``test_cfg.rpn`` stand for themselves. ``kind`` is a class of scripts;
    ``scripted.Script`` is the usual one.
    """

    def make(*parts, test_cfg=None, kind=Scripted, **rpn):
        runtime = kind(*parts)
        rpn = {**dict(penalty_k=0., window_influence=0., lr=1.), **rpn}
        cfg = TrackingConfig.from_cfg(dict(test_cfg or {}, rpn=rpn))
        return TrackingSession(runtime, cfg), runtime

    make.Script = Scripted
    return make
