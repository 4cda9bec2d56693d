"""No training config sees a sequence that weights are chosen on."""
from pathlib import Path
from typing import Dict, List

import pytest
from mmengine.config import Config

from siamattn_mm.datasets.reading.sequence_folder import select_sequences

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
WIDE = '_base_/datasets/wide_train.py'
# Learns eight pairs by heart, to show that a model can learn at all.
BY_HEART = 'siamattn_mobilenetv2_overfit.py'
OTHERS = ['davis-dance-jump', 'fod-Hammer', 'uav-boat1', 'tld-car',
          'ddd-v-bird-002', 'ddd-ir-bird-009', 'mil-dollar']


def video_sources(config: Config) -> Dict[str, dict]:
    """Of a config's training data, those that read sequence folders."""
    sources = config.get('train_dataloader', {}).get('dataset', {}).get(
        'sources', {})
    return {
        name: source
        for name, source in sources.items()
        if source is not None and source.type == 'SequenceFolderSource'
    }


def chosen(source: dict, names: List[str]) -> List[str]:
    """Those of the names that a source trains on."""
    patterns = source.get('sequences')
    if patterns is None:
        return names
    # Wanted patterns have to fit something.
    wanted = [pattern.replace('*', '-') for pattern in patterns
              if not pattern.startswith('!')]
    return select_sequences([*names, *wanted], patterns, source.data_root)


def training_configs() -> List[str]:
    """Configs that train on sequence folders, by their paths."""
    paths = [CONFIGS / WIDE]
    for folder in ('siamattn', 'reuse'):
        paths += sorted(
            path for path in (CONFIGS / folder).rglob('*.py')
            if path.parent.name != 'benchmarks' and path.name != BY_HEART)
    return [
        path.relative_to(CONFIGS).as_posix() for path in paths
        if video_sources(Config.fromfile(str(path)))
    ]


TRAINING = training_configs()


@pytest.fixture(params=TRAINING)
def config(request):
    """One of the configs."""
    return Config.fromfile(str(CONFIGS / request.param))


def held_out_of(config: Config) -> List[str]:
    """What a config chooses on, by its own words."""
    return [*config.get('held_out', []), *config.get('val_sequences', [])]


def test_what_is_looked_at():
    assert WIDE in TRAINING
    assert 'siamattn/siamattn_mobilenetv2_cpu-10e.py' in TRAINING
    assert 'siamattn/siamattn_mobilenetv2_cpu-mask.py' in TRAINING
    # The check itself: with nothing left out, all are chosen.
    source = dict(sequences=None)
    assert chosen(source, ['davis-camel']) == ['davis-camel']


@pytest.mark.parametrize(
    'name', list(video_sources(Config.fromfile(str(CONFIGS / WIDE)))))
def test_each_source_of_wide_train_leaves_them_all_out(name):
    """Whichever folder they lie in."""
    config = Config.fromfile(str(CONFIGS / WIDE))
    assert len(set(config.held_out)) == len(config.held_out) == 24
    source = video_sources(config)[name]
    found = chosen(source, config.held_out + OTHERS)
    assert set(found) & set(config.held_out) == set()
    assert set(found) & set(OTHERS)


def test_wide_train_shares_all_others_out():
    """Each sequence to one source of its folder."""
    sources = video_sources(Config.fromfile(str(CONFIGS / WIDE)))
    for folder in {source.data_root for source in sources.values()}:
        found = [
            name for source in sources.values()
            if source.data_root == folder
            for name in chosen(source, OTHERS) if name in OTHERS
        ]
        assert sorted(found) == sorted(OTHERS)


def test_a_config_trains_on_nothing_that_it_validates_on(config):
    held_out = held_out_of(config)
    assert held_out
    for name, source in video_sources(config).items():
        assert set(chosen(source, held_out + OTHERS)) & set(held_out) == set(
        ), name


def test_no_config_trains_on_the_validation_split(config, shared):
    """By the folders that are there."""
    data = shared / 'data'
    lines = (data / 'val_sequences.txt').read_text().splitlines()
    split = {line for line in lines if line and not line.startswith('#')}
    if 'held_out' in config:
        assert sorted(config.held_out) == sorted(
            line.rpartition('/')[2] for line in split)
    used = set()
    for source in video_sources(config).values():
        folder = Path(source.data_root).name
        names = [path.name for path in (data / folder).iterdir()
                 if path.is_dir()]
        if source.get('sequences') is not None:
            names = select_sequences(names, source.sequences, folder)
        used |= {f'{folder}/{name}' for name in names}
    assert used and used & split == set()
