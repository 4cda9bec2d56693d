"""Each benchmark's config evaluates a fake copy of the benchmark."""
from pathlib import Path

import pytest
from fake_layouts import benchmarks as layouts
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

FOLDER = Path(__file__).resolve().parents[2] / 'configs' / 'siamattn'
MODELS = ('siamattn_r50_released', 'siamattn_r50_paper',
          'siamattn_mobilenetv2')
MAKERS = {
    'otb100': layouts.make_otb100,
    'uav123': layouts.make_uav123,
    'lasot': layouts.make_lasot,
    'trackingnet': layouts.make_trackingnet,
    'got10k': layouts.make_got10k,
    'nfs': layouts.make_nfs,
    'vot2016': layouts.make_vot,
    'vot2018': layouts.make_vot,
    'vot2019': layouts.make_vot,
    'davis2016': layouts.make_davis,
    'davis2017': layouts.make_davis,
    'youtube-vos': layouts.make_youtube_vos,
}
# The target of the fake benchmarks moves by 2 and 1 pixels a frame.
FIGURES = {
    'otb100': 'sot/success',
    'uav123': 'sot/success',
    'lasot': 'sot/success',
    'nfs': 'sot/success',
    'davis2016': 'davis/J&F',
    'davis2017': 'davis/J&F',
}


def config_path(model, benchmark):
    """Path of a benchmark's config."""
    return str(FOLDER / 'benchmarks' / f'{model}_test-{benchmark}.py')


def test_there_is_a_config_for_each_model_and_benchmark():
    names = {path.name for path in (FOLDER / 'benchmarks').glob('*.py')}
    assert names == {
        f'{model}_test-{benchmark}.py' for model in MODELS
        for benchmark in MAKERS
    }


@pytest.mark.parametrize('model', MODELS)
def test_model_and_runtime_are_those_of_the_models_config(model):
    plain = Config.fromfile(str(FOLDER / f'{model}.py'))
    for benchmark in MAKERS:
        config = Config.fromfile(config_path(model, benchmark))
        assert config.model == plain.model
        assert config.custom_hooks == plain.custom_hooks
        assert config.default_hooks == plain.default_hooks
        assert config.test_dataloader.sampler.type == 'SequenceSampler'


@pytest.mark.parametrize('benchmark', MAKERS)
def test_fake_copy_end_to_end(benchmark, repository, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(repository / 'tests' / 'tools'))
    names = MAKERS[benchmark](str(tmp_path / 'data'))
    config = Config.fromfile(config_path('siamattn_r50_released', benchmark))
    __import__('first_box_tracker')
    init_default_scope('mmtrack')
    config.model = dict(type='FirstBoxTracker')
    config.work_dir = str(tmp_path / 'work')
    config.experiment_name = config.visualizer.name = tmp_path.name
    config.test_dataloader.num_workers = 0
    dataset = config.test_dataloader.dataset
    dataset.data_root = str(tmp_path / 'data')
    if benchmark == 'davis2016':
        names = ['blackswan', 'dogs']
    if dataset.type in ('OTB100TestDataset', 'UAV123TestDataset',
                        'LaSOTTestDataset'):
        dataset.sequences = names  # the others are not there
    figures = Runner.from_cfg(config).test()

    results = tmp_path / 'work' / 'results'
    if benchmark.startswith('vot'):
        written = {path.parent.name for path in
                   (results / 'baseline').glob('*/*_001.txt')}
    else:
        written = {path.name[:-10] for path in results.glob('*_score.txt')}
    assert written == set(names)
    assert (results / 'attributes.json').is_file() == (
        benchmark in ('otb100', 'uav123', 'lasot'))
    if benchmark.startswith('vot'):
        # Four frames are too few for the others.
        assert figures['vot/failures'] == 0 and 'vot/eao' in figures
    elif benchmark in FIGURES:
        assert 0 < figures[FIGURES[benchmark]] <= 1
    else:  # no figure without the truth
        assert set(figures) == {'sot/fps', 'sot/fps_end_to_end'}
