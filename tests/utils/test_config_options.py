"""`--cfg-options`: what can be read, and what is said of the rest."""
import argparse
import re

import pytest

from siamattn_mm.utils.config_options import ConfigOptions


def parse(*values):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions)
    return parser.parse_args(['--cfg-options', *values]).cfg_options


def test_values_are_those_of_mmengine():
    found = parse('a.b=1', 'c=[x,2.5]', 'd="(1,[None,true])"', 'e=', 'f=g=h')
    assert found == {
        'a.b': 1, 'c': ['x', 2.5], 'd': (1, [None, True]), 'e': '',
        'f': 'g=h'}


@pytest.mark.parametrize('value, says', [
    ("model.online=[dict(type='A',b=1),dict(type='B')]", 'model.online: .*'
     'plain value.*key by key'),
    ('a.b=[1,2', r"a\.b: '\[1,2' is neither"),
    ('a.b', "KEY=VALUE is wanted, but got 'a.b'"),
    ('=3', "KEY=VALUE is wanted, but got '=3'"),
])
def test_what_cannot_be_read_is_named(value, says, capsys):
    with pytest.raises(SystemExit) as stop:
        parse('x=1', value)
    assert stop.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert re.search(says, error), error
