"""Adapters for the official toolkits: vot-toolkit and got10k.

Each module needs the toolkit that it serves, but for ``vot_workspace``;
docs/evaluation_toolkits.md says how they are used.
"""
