"""How data sets keep what was read: flat arrays, caches and packed batches.

A million annotated frames as Python objects would be copied into every worker
process; arrays are shared. Nothing here reads an annotation format (that is
``datasets.reading`` and ``datasets.sources``).
"""
