import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# What travels in the package, and what does not: set-up and checks of a
# checkout.
MIM = ('configs', 'tools', 'requirements', 'model-index.yml')
LEFT_OUT = ('__pycache__', '_setup', '_official', 'setup.sh', 'test.sh',
            'quickstart.sh', 'check_official_line.sh')


class BuildWithMim(build_py):
    """Puts configs and tools into the package, where OpenMMLab's are: .mim."""

    def run(self):
        super().run()
        if getattr(self, 'editable_mode', False):
            return
        target = Path(self.build_lib, 'siamattn_mm', '.mim')
        shutil.rmtree(target, ignore_errors=True)
        for name in MIM:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source,
                    target / name,
                    ignore=shutil.ignore_patterns(*LEFT_OUT))
            else:
                shutil.copy(source, target / name)


# Everything else is in setup.cfg.
setup(cmdclass=dict(build_py=BuildWithMim))
