"""Random numbers of a step that depend on the step alone."""
import random
from typing import Optional

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmtrack.registry import HOOKS


@HOOKS.register_module()
class IterSeedHook(Hook):
    """Seed all random number generators anew in each training iteration.

    The seed comes from the run's seed and the iteration, so a resumed run
    draws what an uninterrupted one draws, without any generator's state in
    the checkpoint. It is the same in all processes: what has to differ
    between images is dealt out (:mod:`siamattn_mm.utils.image_draws`).

    Data is not concerned: each pair has a seed of its own.
    """

    # What other hooks draw belongs to the iteration.
    priority = 'VERY_HIGH'

    def before_train_iter(self,
                          runner: Runner,
                          batch_idx: int,
                          data_batch: Optional[dict] = None) -> None:
        """Seed ``random``, ``numpy`` and ``torch``, on all devices.

        Args:
            runner (Runner): Has the run's seed and the iteration.
            batch_idx (int): Not used: it starts again in each epoch.
            data_batch (dict, optional): Not used.
        """
        sequence = np.random.SeedSequence((runner.seed, runner.iter))
        seed = int(sequence.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
