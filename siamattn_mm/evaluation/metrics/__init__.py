"""Metrics, registered in mmtrack's ``METRICS``."""
from .davis_metric import DAVISMetric
from .ope_metric import OPEMetric
from .vot_supervised_metric import VOTSupervisedMetric

__all__ = ['DAVISMetric', 'OPEMetric', 'VOTSupervisedMetric']
