"""vot-toolkit itself runs our tracker, and says what our loop says."""
import json
import re
import sys

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmtrack.registry import MODELS

from siamattn_mm.evaluation.functional import (
    SupervisedRun,
    evaluate_supervised,
    expected_overlap_curve,
    region_overlaps,
)
from siamattn_mm.evaluation.functional.vot import TRACKED
from siamattn_mm.toolkits.vot_workspace import TrackerEntry, make_workspace

pytest.importorskip('vot', reason='vot-toolkit is not installed')
pytest.importorskip('trax', reason='vot-trax is not installed')

# One with rectangles, one with polygons; each starts a tracker, which takes
# ten seconds.
NAMES = ['Skiing', 'bag']
FRAMES = 16
INTERVAL = (3, 9)


@pytest.fixture(scope='module')
def data(sequences, tmp_path_factory):
    """Excerpts of two real sequences."""
    root = tmp_path_factory.mktemp('data')
    for name in NAMES:
        (root / name / 'img').mkdir(parents=True)
        truth = (sequences / name / 'groundtruth.txt').read_text().split()
        (root / name / 'groundtruth.txt').write_text('\n'.join(truth[:FRAMES]))
        for image in sorted((sequences / name / 'img').iterdir())[:FRAMES]:
            (root / name / 'img' / image.name).symlink_to(image)
    return root


@pytest.fixture(scope='module')
def weights(small_config_path, tmp_path_factory):
    """The small model, never trained, that predicts no motion.

    It follows slowly and fails in the end.
    """
    init_default_scope('mmtrack')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(str(small_config_path)).model)
    for name, parameter in model.named_parameters():
        if re.search(r'reg_heads.*head_convs\.1|fc_reg', name):
            parameter.data.zero_()
    path = tmp_path_factory.mktemp('weights') / 'small.pth'
    torch.save(dict(state_dict=model.state_dict()), str(path))
    return path


@pytest.fixture()
def vot(monkeypatch, caplog):
    """The toolkit's command line, without its search for updates."""
    from vot.utilities import cli
    monkeypatch.setenv('VOT_REGISTRY', '')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setattr(cli, 'check_updates', lambda: (False, None))
    # Its own handler keeps the standard error of another test.
    monkeypatch.setattr(cli.logger, 'handlers', [])

    def run(*args):
        monkeypatch.setattr(sys, 'argv', ['vot', *map(str, args)])
        caplog.clear()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == 0, caplog.text
        return caplog.text

    return run


def as_arrays(regions):
    """(N,) states and N arrays of the toolkit's regions."""
    from vot.region import Rectangle, Special

    def array(region):
        if isinstance(region, Special):
            return np.full(4, np.nan)
        if isinstance(region, Rectangle):
            return np.array([region.x, region.y, region.width, region.height])
        return np.array(region.points()).ravel()

    states = [region.code if isinstance(region, Special) else TRACKED
              for region in regions]
    return np.array(states), [array(region) for region in regions]


def official_runs(workspace):
    """Ground truth, image size, states and regions of each sequence."""
    from vot.workspace import Workspace
    space = Workspace.load(str(workspace))
    experiment = space.stack['baseline']
    found = {}
    for sequence in space.dataset:
        trajectory, = experiment.gather(space.registry['small'], sequence)
        _, truth = as_arrays([sequence.groundtruth(i) for i in range(FRAMES)])
        found[sequence.name] = (truth, sequence.size,
                                *as_arrays(trajectory.regions()))
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)  # starts a tracker for each sequence
def test_evaluate_and_analysis(data, weights, vot, small_config_path,
                               repository, tmp_path, capsys):
    workspace = tmp_path / 'workspace'
    command = [
        sys.executable, '-m', 'siamattn_cli', 'vot-tracker',
        '--config', str(small_config_path), '--checkpoint', str(weights),
        '--threads', '1'
    ]
    make_workspace(
        str(data), str(workspace), TrackerEntry(command, 'small'),
        interval=INTERVAL)
    log = vot('evaluate', '--workspace', workspace, 'small')
    assert 'Evaluation concluded' in log, log
    log = vot('analysis', '--workspace', workspace, '--name', 'report',
              'small')
    assert 'Analysis successful' in log, log
    report = json.loads((workspace / 'analysis' / 'report.json').read_text())
    figures_of, eao, curve = report['results']['baseline']['results']
    accuracy, failures = figures_of[0][:2]
    eao, curve = np.squeeze(eao), np.squeeze(curve)

    runs = official_runs(workspace)
    assert sorted(runs) == NAMES
    ours = [[SupervisedRun(region_overlaps(regions, truth, size), states)]
            for truth, size, states, regions in runs.values()]
    figures = evaluate_supervised(ours, INTERVAL)
    differences = dict(
        accuracy=abs(figures['accuracy'] - accuracy),
        failures=abs(figures['failures'] - failures),
        eao=abs(figures['eao'] - eao),
        curve=np.abs(
            expected_overlap_curve(sum(ours, [])) - curve).max())
    text = ', '.join(f'{k} {v:.1e}' for k, v in differences.items())
    with capsys.disabled():
        print(f'\nvot analysis of {len(runs)} sequences, {failures:.2f} '
              f'failures, EAO {float(eao):.3f}: largest differences {text}')
    assert max(differences.values()) < 1e-6, text
    assert failures > 0 and eao > 0

    compare_with_our_loop(runs, figures, data, weights, small_config_path,
                          repository, tmp_path)


def compare_with_our_loop(runs, figures, data, weights, small_config_path,
                          repository, tmp_path):
    """VOTSupervisedLoop tracks the same, and writes it as the toolkit."""
    from vot.region.io import read_trajectory
    config = Config.fromfile(str(small_config_path))
    config.merge_from_dict(
        Config.fromfile(
            str(repository / 'configs' / '_base_' / 'datasets' /
                'sot_folder.py')).to_dict())
    config.test_dataloader.num_workers = 0
    config.test_dataloader.dataset.data_root = str(data)
    config.test_evaluator = dict(type='VOTSupervisedMetric', interval=INTERVAL)
    config.test_cfg = dict(type='VOTSupervisedLoop')
    config.work_dir = str(tmp_path / 'work')
    config.load_from = str(weights)
    config.visualizer.name = config.experiment_name = tmp_path.name
    for key in ('val_dataloader', 'val_evaluator', 'val_cfg'):
        config.pop(key)
    ours = Runner.from_cfg(config).test()
    for key in ('failures', 'accuracy', 'eao'):
        assert ours[f'vot/{key}'] == pytest.approx(figures[key], abs=0.01)
    for name, (_, _, states, regions) in runs.items():
        path = tmp_path / 'work' / 'results' / 'baseline' / name
        written = read_trajectory(str(path / f'{name}_001.txt'))
        our_states, our_regions = as_arrays(written)
        assert our_states.tolist() == states.tolist()
        assert np.concatenate(our_regions) == pytest.approx(
            np.concatenate(regions), abs=.1, nan_ok=True)


@pytest.mark.timeout(900)
def test_failing_tracker_is_reported(data, vot, repository, tmp_path):
    (tmp_path / 'broken.py').write_text('model = dict(type="Nothing")')
    command = [
        sys.executable, '-m', 'siamattn_cli', 'vot-tracker',
        '--config', str(tmp_path / 'broken.py')
    ]
    make_workspace(
        str(data), str(tmp_path / 'workspace'), TrackerEntry(command),
        sequences=['Skiing'])
    log = vot('evaluate', '--workspace', tmp_path / 'workspace', 'siamattn')
    assert 'encountered an error at sequence Skiing' in log
    written, = (tmp_path / 'workspace' / 'logs').iterdir()
    assert 'Nothing is not in the' in written.read_text()
