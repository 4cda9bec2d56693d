"""mmtrack becomes importable, and nothing is left behind."""
import subprocess
import sys
import textwrap

import mmcv
import mmdet
import pytest

from siamattn_mm import compat


@pytest.mark.parametrize('package, version, refused', [
    ('mmcv', '2.0.0rc1', False),
    ('mmcv', '2.0.0rc4', False),
    ('mmcv', '2.0.0', True),
    ('mmcv', '2.0.1', True),
    ('mmcv', '2.1.0', True),
    ('mmcv', '2.1.0rc1', True),
    ('mmcv', '2.3.6', True),
    ('mmcv', '2.3.6+cpu', True),
    ('mmcv', '10.0.0', True),
    ('mmcv', '1.7.2', False),
    ('mmdet', '3.0.0rc0', False),
    ('mmdet', '3.0.0rc5', False),
    ('mmdet', '3.0.0rc6', False),
    ('mmdet', '3.0.0', True),
    ('mmdet', '3.3.0', True),
    ('mmdet', '3.5.1', True),
    ('mmdet', 'unknown', True),
])
def test_is_refused(package, version, refused):
    assert compat.is_refused(package, version) == refused


def test_versions_are_the_true_ones_here():
    assert mmcv.__version__ == mmcv.version.__version__
    assert mmdet.__version__ == mmdet.version.__version__


def test_importing_again_does_nothing(monkeypatch):
    def fail(name):
        raise AssertionError(f'{name} was imported again')

    monkeypatch.setattr(compat.importlib, 'import_module', fail)
    compat.import_mmtrack()


def test_missing_packages_are_all_named():
    with pytest.raises(ImportError, match='needs no_such_a, no_such_b, which '
                       'are not installed'):
        compat.check_requirements(('torch', 'no_such_a', 'no_such_b'))
    with pytest.raises(ImportError, match='needs no_such_a, which is not'):
        compat.check_requirements(('no_such_a', ))
    compat.check_requirements()


def run(code, **kwargs):
    return subprocess.run([sys.executable, '-c', textwrap.dedent(code)],
                          capture_output=True, text=True, timeout=120,
                          **kwargs)


def test_a_fresh_import_prints_nothing_and_leaves_no_trace(repository):
    result = run(
        """
        import siamattn_mm
        import importlib, sys
        import mmcv, mmdet, mmdet.models.layers as layers
        assert mmcv.__version__ == mmcv.version.__version__
        assert mmdet.__version__ == mmdet.version.__version__
        version = tuple(int(n) for n in mmdet.__version__.split('.')[:2])
        if version > (3, 0):
            assert not hasattr(layers, 'Transformer')

        import siamattn_mm
        importlib.reload(siamattn_mm)
        siamattn_mm.compat.import_mmtrack()
        from mmtrack.registry import MODELS
        assert MODELS.get('SiamAttn').__module__.startswith('siamattn_mm.')
        assert MODELS.get('SiamRPN').__module__.startswith('mmtrack.')
        # The gates would refuse now, and are not asked again.
        assert 'mmtrack.visualization' in sys.modules
        """,
        cwd=str(repository))
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')


# -- other lines, from packages made up ----------------------------------

FAKES = {
    'torch/__init__.py': '',
    'mmengine/__init__.py': '',
    'mmengine/model.py': 'class BaseModule: pass',
    'mmcv/__init__.py': '__version__ = {mmcv!r}',
    'mmdet/__init__.py': '__version__ = {mmdet!r}',
    'mmdet/models/__init__.py': '',
    'mmdet/models/layers.py': '{transformer}',
    'mmcls/__init__.py': 'print("noise of an optional part")',
    # The gate and STARK.
    'mmtrack/__init__.py': """
import mmcv, mmdet
seen = mmcv.__version__, mmdet.__version__
""",
    'mmtrack/models.py': """
from mmdet.models.layers import Transformer
class Stark(Transformer):
    pass
{failure}
""",
    'mmtrack/datasets.py': '',
    'mmtrack/engine.py': '',
    # As mmtrack asks for it.
    'vot/__init__.py': 'raise RuntimeError("a slow import, for nothing")',
    'mmtrack/evaluation.py': """
try:
    import vot
    from vot.region import Polygon
except ImportError:
    vot = None
""",
    'mmtrack/visualization.py': '',
}


@pytest.fixture
def simulate(tmp_path, repository):
    """Import mmtrack through compat among packages of these versions."""

    def simulate(mmcv, mmdet, transformer, code, failure=''):
        for name, content in FAKES.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                content.format(
                    mmcv=mmcv,
                    mmdet=mmdet,
                    transformer=transformer,
                    failure=failure))
        file = repository / 'siamattn_mm' / 'compat.py'
        result = run(f"""
import importlib.util, sys
sys.path.insert(0, {str(tmp_path)!r})
spec = importlib.util.spec_from_file_location('compat', {str(file)!r})
compat = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compat)
import mmcv, mmdet, mmdet.models.layers as layers
{textwrap.dedent(code)}
""")
        assert (result.returncode, result.stdout, result.stderr) == (0, '', '')

    return simulate


def test_nothing_is_changed_on_the_official_line(simulate):
    simulate(
        '2.0.0rc4', '3.0.0rc5', 'class Transformer: pass', """
        theirs = layers.Transformer
        compat.import_mmtrack()
        import mmtrack
        assert mmtrack.seen == ('2.0.0rc4', '3.0.0rc5'), mmtrack.seen
        assert (mmcv.__version__, mmdet.__version__) == mmtrack.seen
        assert layers.Transformer is theirs
        assert mmtrack.models.Stark.__mro__[1] is theirs
        """)


def test_current_versions_are_hidden_during_the_import_alone(simulate):
    simulate(
        '2.3.6', '3.5.1', '', """
        compat.import_mmtrack()
        import mmtrack
        assert mmtrack.seen == ('2.0.0rc4', '3.0.0rc6'), mmtrack.seen
        assert (mmcv.__version__, mmdet.__version__) == ('2.3.6', '3.5.1')
        assert not hasattr(layers, 'Transformer')
        try:
            mmtrack.models.Stark()
        except ImportError as error:
            assert 'STARK needs' in str(error)
        else:
            raise AssertionError('STARK was built')
        """)


def test_only_the_refused_version_is_hidden(simulate):
    simulate(
        '2.1.0', '3.0.0rc6', 'class Transformer: pass', """
        compat.import_mmtrack()
        import mmtrack
        assert mmtrack.seen == ('2.0.0rc4', '3.0.0rc6'), mmtrack.seen
        assert mmcv.__version__ == '2.1.0'
        """)


def test_mmtrack_finds_no_vot_toolkit(simulate):
    simulate(
        '2.3.6', '3.5.1', '', """
        import types
        ours = {name: types.ModuleType(name) for name in ('vot', 'vot.region')}
        sys.modules.update(ours)
        compat.import_mmtrack()
        import mmtrack
        assert mmtrack.evaluation.vot is None
        assert {name: sys.modules[name] for name in ours} == ours
        """)
    simulate(
        '2.3.6', '3.5.1', '', """
        compat.import_mmtrack()
        import mmtrack
        assert mmtrack.evaluation.vot is None
        assert 'vot' not in sys.modules
        """)


def test_a_failing_import_leaves_no_trace_either(simulate):
    simulate(
        '2.3.6',
        '3.5.1',
        '',
        """
        try:
            compat.import_mmtrack()
        except RuntimeError as error:
            assert str(error) == 'broken'
        else:
            raise AssertionError('the error was swallowed')
        assert (mmcv.__version__, mmdet.__version__) == ('2.3.6', '3.5.1')
        assert not hasattr(layers, 'Transformer')
        """,
        failure='raise RuntimeError("broken")')
