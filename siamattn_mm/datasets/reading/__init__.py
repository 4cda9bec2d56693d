"""Reading what data sets are made of: ground truth, numbers, images, folders.

Nothing here knows about training or testing, nor how a data set keeps what
was read (that is ``datasets.storage``).
"""
