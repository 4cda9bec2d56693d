"""The released R50 network with weights by rule."""
import importlib.util
import json

import numpy as np
import pytest
import torch
from mmengine.config import Config

from siamattn_mm.apis import init_tracker
from siamattn_mm.utils.convert import convert


def _weights_by_rule(golden, seed):
    spec = importlib.util.spec_from_file_location('weights',
                                                  golden / 'weights.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shapes = json.loads((golden / 'official_state_dict.json').read_text())
    return module.make_weights(shapes, seed)


@pytest.fixture(scope='session')
def official_weights(golden):
    """State dict of seed 0, under the released checkpoint's names."""
    return {
        name: torch.from_numpy(np.asarray(value))
        for name, value in _weights_by_rule(golden, 0).items()
    }


@pytest.fixture(scope='session')
def released_file(official_weights, repository, tmp_path_factory):
    """The released config, and a checkpoint file with these weights."""
    config = repository / 'configs/siamattn/siamattn_r50_released.py'
    with pytest.warns(UserWarning, match='without a checkpoint'):
        blank = init_tracker(str(config))
    converted = convert(official_weights, 'siamattn',
                        blank.model.state_dict())
    assert not converted.untouched
    path = tmp_path_factory.mktemp('golden') / 'released.pth'
    torch.save(dict(state_dict=converted.state_dict), path)
    return config, path


@pytest.fixture(scope='session')
def released_trackers(released_file):
    """Trackers with these weights, by whether they are optimised."""
    # pytest makes a fixture with parameters anew for each module.
    made = {}

    def make(optimize):
        if optimize not in made:
            config, path = released_file
            config = Config.fromfile(config)
            config.model.optimize = optimize
            made[optimize] = init_tracker(config, str(path))
        return made[optimize]

    return make


@pytest.fixture(scope='session', params=[True, False],
                ids=['optimized', 'plain'])
def released_tracker(request, released_trackers):
    """A tracker with these weights, optimisations on or off."""
    tracker = released_trackers(request.param)
    assert tracker.model.siamese_neck.levels[0].conv.optimize is request.param
    return tracker
