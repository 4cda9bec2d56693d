"""The released R50 network with weights by rule."""
import pytest
from mmengine.config import Config
from released_network import CONFIG, official_state_dict, write_checkpoint

from siamattn_mm.apis import init_tracker


@pytest.fixture(scope='session')
def official_weights(golden):
    """State dict of seed 0, under the released checkpoint's names."""
    return official_state_dict(golden)


@pytest.fixture(scope='session')
def released_file(official_weights, repository, tmp_path_factory):
    """The released config, and a checkpoint file with these weights."""
    config = repository / CONFIG
    path = tmp_path_factory.mktemp('golden') / 'released.pth'
    write_checkpoint(official_weights, config, path)
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
    conv = tracker.model.siamese_neck.levels[0].conv
    assert conv.paths.fast is request.param
    return tracker
