from setuptools import setup

# Everything is in setup.cfg.
setup()
