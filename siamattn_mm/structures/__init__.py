"""Boxes, windows and masks outside of the network."""
