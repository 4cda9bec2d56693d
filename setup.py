import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithConfigs(build_py):
    """Puts the configs into the package, where OpenMMLab's are: ``.mim``."""

    def run(self):
        super().run()
        if not getattr(self, 'editable_mode', False):
            target = Path(self.build_lib, 'siamattn_mm', '.mim', 'configs')
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                Path(__file__).parent / 'configs',
                target,
                ignore=shutil.ignore_patterns('__pycache__'))


# Everything else is in setup.cfg.
setup(cmdclass=dict(build_py=BuildWithConfigs))
