"""The network as ONNX graphs, and runtimes for them.

Importing it needs neither ``onnx`` nor a runtime: they are imported when
they are used (``requirements/deploy.txt``).
"""
from .exported_siamattn import ExportedSiamAttn, build_exported
from .files import ExportError, is_exported

__all__ = [
    'ExportError', 'ExportedSiamAttn', 'build_exported', 'is_exported'
]
