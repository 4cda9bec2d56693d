"""Nothing newer than the official OpenMMLab line is called.

What is installed here has all of it, so that nothing else would notice; see
``tools/_official/api.py``.
"""
import ast
import importlib.util
import textwrap

import pytest


@pytest.fixture(scope='module')
def checker(repository):
    """The module that lists and checks."""
    path = repository / 'tools' / '_official' / 'api.py'
    spec = importlib.util.spec_from_file_location('official_api', str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def api(checker):
    """What the official line has."""
    return checker.read_list()


def test_package_and_tools_keep_to_it(checker):
    assert [str(finding) for finding in checker.check()] == []


def test_exempt_files_are_there(checker, repository):
    """A file that was renamed would be checked under its new name."""
    assert all((repository / name).is_file() for name in checker.EXEMPT)


@pytest.fixture
def find(checker, api):
    """Names that are found in a source."""

    def find(text, newer=(), own=()):
        found = checker.check_source(
            ast.parse(textwrap.dedent(text)), 'file.py', api, set(newer),
            set(own))
        return [(item.place, item.name) for item in found]

    return find


@pytest.mark.parametrize('text, name', [
    ('import torch\ntorch.get_autocast_dtype("cpu")',
     'torch.get_autocast_dtype'),
    ('import torch\ntorch.is_autocast_enabled("cpu")',
     'torch.is_autocast_enabled()'),
    ('from torch import is_autocast_enabled as is_on\nis_on("cpu")',
     'torch.is_autocast_enabled()'),
    ('import torch\nwith torch.serialization.safe_globals([]): pass',
     'torch.serialization.safe_globals'),
    ('from torch.serialization import safe_globals\n',
     'torch.serialization.safe_globals'),
    ('from torch import serialization as s\ns.add_safe_globals([])',
     'torch.serialization.add_safe_globals'),
    ('import torch\ntorch.compiler.disable()', 'torch.compiler'),
    ('import torch.nn.attention\n', 'torch.nn.attention'),
    ('from torch.utils.flop_counter import FlopCounterMode\n',
     'torch.utils.flop_counter'),
    ('import torch.nn.functional as F\nF.grid_sample(x, g, mode="a", m=1)',
     'torch.nn.functional.grid_sample()'),
    ('from torch import nn\nnn.RMSNorm(3)', 'torch.nn.RMSNorm'),
    ('from torch import nn\nnn.Conv2d(1, 2, 3, new=1)', 'torch.nn.Conv2d()'),
    ('import torch\ntorch.arange(3, new=1)', 'torch.arange()'),
    ('import torch\ntorch.Tensor.itemsize', 'torch.Tensor.itemsize'),
    ('import numpy as np\nnp.trapezoid([1])', 'numpy.trapezoid'),
    ('import numpy as np\nnp.bool_(1), np.long(1)', 'numpy.long'),
    ('def f():\n    from torch import nn\n    return nn.RMSNorm',
     'torch.nn.RMSNorm'),
])
def test_newer_names_are_found(find, text, name):
    line = len(text.splitlines())
    assert find(text) == [(f'file.py:{line}', name)]


def test_what_was_there_is_not_found(find):
    """Functions, classes, operators and attributes of attributes."""
    assert find("""
        import re
        import numpy as np
        import torch
        import torch.nn.functional as F
        from torch import Tensor, nn
        from torch.nn.modules.batchnorm import _BatchNorm

        PATTERN = re.compile('x')
        torch.cat([x, y], dim=1, out=z), torch.arange(1, 2, dtype=torch.long)
        torch.ops.mkldnn._convolution_pointwise(x)
        torch.backends.cudnn.flags(enabled=False), torch.float32.itemsize
        torch.zeros(1, 2, 3, 4, 5, device='cpu'), torch.__version__.split('.')
        torch.load('a', map_location='cpu', weights_only=True, encoding='b')
        F.interpolate(x, size=3, mode='bilinear', align_corners=False)
        nn.Conv2d(1, 2, 3, padding=1), Tensor.sum(x), np.stack([x])
        nn.Module.forward, np.random.default_rng(0).integers(3)
        np.linalg.norm(x, axis=1), torch.linalg.solve(a, b)
        """, newer=['compile']) == []


def test_members_of_unknown_objects(checker, api, find):
    """A call of a method that modules have here, but not there."""
    text = 'for part in parts:\n    part.compile(dynamic=False)'
    assert find(text, newer=['compile']) == [('file.py:2', '.compile')]
    assert find(text, newer=['compile'], own=['compile']) == []
    # It is what the check itself asks about, where this PyTorch has it.
    import torch
    newer = checker.newer_members(api)
    assert ('compile' in newer) == hasattr(torch.nn.Module, 'compile')
    assert not newer & {'sum', 'to', 'train', 'step', 'itemsize', 'shape'}


def test_own_members_are_told(checker):
    text = 'class A:\n    size: int\n    def f(self):\n        self.x = 1'
    assert checker.defined_members([ast.parse(text)]) == {'size', 'f', 'x'}
