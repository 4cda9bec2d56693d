"""Time and memory of a training step."""
import contextlib
import logging
import sys
import time
from itertools import islice
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner
from mmtrack.registry import MODELS

from siamattn_mm.utils.configs import require_config

from .clocks import clock_for
from .errors import BenchmarkError
from .memory import gpu_peak_mb, peak_rss_mb, reset_peak, rss_mb
from .spread import spread
from .stages import REST, Hook, StageRecorder
from .synthetic_pairs import synthetic_pairs

PREPROCESSING, TARGETS, FORWARD, BACKWARD, OPTIMIZER, LOGGING = (
    'preprocessing', 'targets and RoIs', 'forward', 'backward', 'optimizer',
    'reading losses')
STAGES = (PREPROCESSING, TARGETS, FORWARD, BACKWARD, OPTIMIZER, LOGGING, REST)
# Of the model; what it does not have is left out.
MODEL_HOOKS = (
    Hook(PREPROCESSING, 'data_preprocessor.forward'),
    Hook(FORWARD, '_run_forward'),
    Hook(FORWARD, 'parse_losses'),
    Hook(TARGETS, 'head.draw_targets'),
    Hook(TARGETS, 'refine_head.sample_rois'),
    # Of SiamAttnPluginHead, in mmtrack's SiamRPN.
    Hook(TARGETS, 'head.rpn_head.draw_targets'),
    Hook(TARGETS, 'head.refine_head.sample_rois'),
)
# Functions that the refinement head's module calls by these names.
REFINE_FUNCTIONS = ('crop_masks', )
OPTIMIZER_HOOKS = (Hook(BACKWARD, 'backward'), Hook(OPTIMIZER, 'step'),
                   Hook(OPTIMIZER, 'zero_grad'))
# Steps that warm up: allocators, algorithms that cuDNN tries, clocks.
WARM_UP = 3
# Batches that take turns, as no two are alike in training.
NUM_BATCHES = 2


class StepSpec(NamedTuple):
    """Which step to measure.

    Attributes:
        config (str): Training config file.
        options (dict, optional): Changes of the config.
        device (str): e.g. ``'cpu'``.
        amp (str, optional): ``'float16'`` or ``'bfloat16'``, ``'auto'`` for
            the device's own; None trains in float32.
        batch_size (int, optional): Pairs; None takes the config's.
    """
    config: str
    options: Optional[dict] = None
    device: str = 'cpu'
    amp: Optional[str] = None
    batch_size: Optional[int] = None

    def read(self) -> Config:
        """Read the config.

        Returns:
            Config: With everything that was asked for.

        Raises:
            FileNotFoundError: If there is no such config.
            BenchmarkError: If it is no config for training.
        """
        config = Config.fromfile(require_config(self.config))
        config.merge_from_dict(self.options or {})
        for key in ('train_dataloader', 'optim_wrapper'):
            if not config.get(key):
                raise BenchmarkError(
                    f'config {self.config!r} has no {key}: a config for '
                    'training is needed, such as '
                    'configs/siamattn/siamattn_mobilenetv2_cpu-10e.py')
        if self.batch_size is not None:
            config.train_dataloader.batch_size = self.batch_size
        if self.amp is not None:
            self._mix_precision(config)
        return config

    def _mix_precision(self, config: Config) -> None:
        here = torch.device(self.device).type
        # mmengine asks the machine, not the model.
        if here != torch.device(get_device()).type:
            raise BenchmarkError(
                f'mixed precision on {here} can be timed where PyTorch sees '
                'no other device: set CUDA_VISIBLE_DEVICES=')
        config.optim_wrapper.type = 'AmpOptimWrapper'
        config.optim_wrapper.setdefault('loss_scale', 'dynamic')
        if self.amp != 'auto':
            config.optim_wrapper.dtype = self.amp


class TrainStep:
    """A model, its optimizer, and batches made by rule.

    Weights are random, whatever the config starts from, and the hooks of a
    run are not there: frozen is what is built frozen.

    Args:
        spec (StepSpec): What to build.

    Raises:
        FileNotFoundError: If there is no such config.
        BenchmarkError: If it is no config for training.
    """

    def __init__(self, spec: StepSpec) -> None:
        self.config = spec.read()
        self.device = torch.device(spec.device)
        self.batch_size = self.config.train_dataloader.batch_size
        self.clock = clock_for(self.device)
        runtime = self.config.get('env_cfg') or {}
        torch.backends.cudnn.benchmark = runtime.get('cudnn_benchmark', False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.model = MODELS.build(self.config.model)
        self.model = self.model.to(self.device).train()
        with _quiet_logger():
            self.optim_wrapper = build_optim_wrapper(
                self.model, self.config.optim_wrapper)
        collate = dict(
            self.config.train_dataloader.get('collate_fn')
            or dict(type='pseudo_collate'))
        function = FUNCTIONS.get(collate.pop('type'))
        self.batches = [
            function(synthetic_pairs(self.batch_size, seed), **collate)
            for seed in range(NUM_BATCHES)
        ]
        self._next = 0

    @property
    def trained(self) -> Dict[str, int]:
        """dict[str, int]: ``trained`` and ``all`` numbers of the model."""
        numbers = [(p.numel(), p.requires_grad)
                   for p in self.model.parameters()]
        return dict(
            trained=sum(number for number, trains in numbers if trains),
            all=sum(number for number, _ in numbers))

    @property
    def precision(self) -> str:
        """str: Of the network."""
        if self.config.optim_wrapper.type != 'AmpOptimWrapper':
            return 'float32'
        dtype = self.optim_wrapper.cast_dtype
        if dtype is None:
            dtype = (
                torch.bfloat16
                if self.device.type == 'cpu' else torch.float16)
        return str(dtype).replace('torch.', '')

    def step(self,
             call: Callable = lambda stage, function, *args: function(*args)
             ) -> None:
        """Do one step, as mmengine's loop does.

        Args:
            call (Callable): As :meth:`.StageRecorder.call`.
        """
        batch = self.batches[self._next]
        self._next = (self._next + 1) % len(self.batches)
        losses = call(REST, self.model.train_step, batch, self.optim_wrapper)
        # mmengine reads them behind each step, for the log.
        call(LOGGING, lambda: [float(v.detach()) for v in losses.values()])

    def whole(self, num_steps: int) -> float:
        """Seconds of a step, undisturbed: a mean, by the host's clock.

        Args:
            num_steps (int): How many.

        Returns:
            float: Seconds of one.
        """
        self.clock.wait()
        began = time.perf_counter()
        for _ in range(num_steps):
            self.step()
        self.clock.wait()
        return (time.perf_counter() - began) / num_steps

    def stages(self, num_steps: int) -> Dict[str, float]:
        """Seconds of each stage of a step: means, by the device's clock.

        Args:
            num_steps (int): How many.

        Returns:
            dict[str, float]: By stage.
        """
        with StageRecorder(self.clock) as recorder:
            recorder.hook_all(self.model, MODEL_HOOKS)
            recorder.hook_all(self.optim_wrapper, OPTIMIZER_HOOKS)
            refine = getattr(self.model, 'refine_head', None)
            module = sys.modules[type(refine).__module__]
            recorder.hook_all(
                module, [Hook(TARGETS, name) for name in REFINE_FUNCTIONS])
            for _ in range(num_steps):
                self.step(recorder.call)
            found = recorder.take()
        return {
            stage: found[stage] / num_steps
            for stage in STAGES if stage in found
        }


@contextlib.contextmanager
def _quiet_logger() -> Iterator[None]:
    """mmengine says for each parameter what it does with it."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _without_subnormal_numbers(config: Config) -> Iterator[None]:
    """As in training, if the config has the hook for it."""
    flush = any(
        hook.get('type') == 'FlushDenormalHook'
        for hook in config.get('custom_hooks') or [])
    if flush:
        torch.set_flush_denormal(True)
    try:
        yield
    finally:
        if flush:
            torch.set_flush_denormal(False)


def measure_data(config: Config, num_batches: int,
                 workers: Optional[int] = None) -> Dict[str, Any]:
    """How fast the config's own data come, if they are there.

    Args:
        config (Config): For training.
        num_batches (int): That are timed.
        workers (int, optional): Worker processes; None takes the config's.

    Returns:
        dict: ``workers`` and ``ms`` of a batch; or ``left_out``, why not.
    """
    loader = config.train_dataloader.copy()
    if workers is not None:
        loader['num_workers'] = workers
    loader['persistent_workers'] = False
    workers = loader.get('num_workers', 0)
    try:
        built = Runner.build_dataloader(loader, seed=0)
        # The clock starts when each worker has sent a batch.
        batches = _endless(built)
        for _ in islice(batches, max(1, workers)):
            pass
        began = time.perf_counter()
        for _ in islice(batches, num_batches):
            pass
        seconds = (time.perf_counter() - began) / num_batches
    except (OSError, ValueError) as error:
        return dict(left_out=str(error).splitlines()[0])
    return dict(workers=workers, ms=1e3 * seconds)


def _endless(loader: Any) -> Iterator[Any]:
    while True:
        yield from loader


def measure_train_step(step: TrainStep,
                       num_steps: int = 5,
                       num_runs: int = 3,
                       advance: Callable[[], None] = lambda: None
                       ) -> Dict[str, Any]:
    """Time a step: undisturbed, and stage by stage, in turn.

    Args:
        step (TrainStep): What to measure.
        num_steps (int): In a run, of each way. Defaults to 5.
        num_runs (int): Defaults to 3.
        advance (Callable): Called after each run, the first of which warms
            up.

    Returns:
        dict: ``device``, ``precision``, ``batch_size``, ``trained`` and
        ``all`` (numbers of the model), ``step_ms`` and ``pairs_per_second``
        (:class:`~.spread.Spread` as dicts), ``stages``: a list of dicts with
        ``stage`` and ``ms``, and in MB ``peak_mb`` (of the host's memory, the
        most on top of what was there before the first step, None where it is
        unknown) and ``gpu_mb`` (of a GPU's, None without one).
    """
    before = rss_mb()
    known = reset_peak()
    if step.device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(step.device)
    wholes: List[float] = []
    stages: List[Dict[str, float]] = []
    with _without_subnormal_numbers(step.config):
        step.whole(WARM_UP)
        advance()
        for _ in range(num_runs):
            wholes.append(step.whole(num_steps))
            stages.append(step.stages(num_steps))
            advance()
    return dict(
        device=_device_name(step.device),
        precision=step.precision,
        batch_size=step.batch_size,
        **step.trained,
        step_ms=spread([1e3 * value for value in wholes])._asdict(),
        pairs_per_second=spread(
            [step.batch_size / value for value in wholes])._asdict(),
        stages=[
            dict(
                stage=stage,
                ms=spread([1e3 * run[stage] for run in stages])._asdict())
            for stage in STAGES if all(stage in run for run in stages)
        ],
        peak_mb=peak_rss_mb() - before if known else None,
        gpu_mb=gpu_peak_mb(step.device))


def _device_name(device: torch.device) -> str:
    if device.type != 'cuda':
        return device.type
    name = torch.cuda.get_device_name(device)
    return f'{name}, CUDA {torch.version.cuda}'
