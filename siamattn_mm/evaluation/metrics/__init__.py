"""Metrics, registered in mmtrack's ``METRICS``."""
from .ope_metric import OPEMetric

__all__ = ['OPEMetric']
