"""The door to ``siamattn_mm.commands``: the console command ``siamattn``.

A package of its own, because importing anything of ``siamattn_mm`` imports
PyTorch and OpenMMLab: seconds that neither ``siamattn --help`` nor the VOT
toolkit, which waits for a tracker's hello, should spend. Nothing here imports
more than the standard library before a command is chosen.
"""
