"""VOT's supervised experiment, for vot-toolkit 0.8 and 0.9.

Those releases cannot run it with any tracker: the experiment gives and takes
one object, their tracker runtimes lists of objects. The class here is the
toolkit's own, but for that. A workspace's ``stack.yaml`` names it::

    type: siamattn_mm.toolkits.vot_experiment.SupervisedExperiment

Importing this module needs vot-toolkit.
"""
from typing import Any, Optional, Tuple

from vot.experiment import multirun
from vot.tracker import OnlineTrackerRuntime


class SupervisedExperiment(multirun.SupervisedExperiment):
    """Restarts the tracker after failures; all analyses of VOT take it."""

    def _get_runtime(self, *args, **kwargs) -> 'SingleObjectRuntime':
        if self.realtime is not None:
            raise ValueError(f'experiment {self.identifier!r}: realtime is '
                             'not supported by this supervised experiment')
        return SingleObjectRuntime(super()._get_runtime(*args, **kwargs))


class SingleObjectRuntime(OnlineTrackerRuntime):
    """Speaks of one object where the toolkit's runtime speaks of a list.

    Args:
        runtime (OnlineTrackerRuntime): The toolkit's.
    """

    def __init__(self, runtime: OnlineTrackerRuntime) -> None:
        super().__init__(runtime.tracker)
        self._runtime = runtime

    def stop(self) -> None:
        """End the tracker's process."""
        self._runtime.stop()

    def restart(self) -> None:
        """Start the tracker's process again."""
        self._runtime.restart()

    def initialize(self,
                   frame: Any,
                   new: Any = None,
                   properties: Optional[dict] = None) -> Tuple[Any, float]:
        """Give the target.

        Args:
            frame (Frame): The frame.
            new (ObjectStatus): The target in it.
            properties (dict, optional): Not used. Defaults to None.

        Returns:
            tuple[ObjectStatus, float]: What the tracker says, and seconds.
        """
        return self._one(*self._runtime.initialize(frame, [new]))

    def update(self,
               frame: Any,
               new: Any = None,
               properties: Optional[dict] = None) -> Tuple[Any, float]:
        """Ask for the target.

        Args:
            frame (Frame): The frame.
            new (None): There are no further targets.
            properties (dict, optional): Not used. Defaults to None.

        Returns:
            tuple[ObjectStatus, float]: As :meth:`initialize`.
        """
        return self._one(*self._runtime.update(frame, []))

    @staticmethod
    def _one(objects: Any, seconds: float) -> Tuple[Any, float]:
        return (objects[0] if isinstance(objects, list) else objects), seconds
