"""What mmengine's Runner needs beside the model and the data."""
from .hooks import CheckpointFitHook

__all__ = ['CheckpointFitHook']
