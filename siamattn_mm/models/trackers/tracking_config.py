"""The numbers that a tracker works with, checked where they come in."""
import dataclasses
import difflib
from numbers import Real
from typing import Any, Mapping, Optional, Sequence, Tuple

from siamattn_mm.structures.boxes import MIN_SIZE, SEARCH_SIZE

PRECISIONS = ('fp32', 'bf16', 'fp16')
# What was configured elsewhere once, and where it is now.
MOVED = {
    'correlation_filter': "dict(type='CorrelationFilter', influence=0.6)",
    'box_regressor': "dict(type='RidgeBoxRegressor')",
    'rival_association': "dict(type='DistractorAssociation')",
    'filter_influence': "dict(type='CorrelationFilter', influence=...)",
    'calibration': "dict(type='BoxCalibration', share=...)",
    'hold_score': "dict(type='TargetPresence', hold_score=...)",
    'recover_score': "dict(type='TargetPresence', recover_score=...)",
}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def refuse_unknown(found: Mapping[str, Any], known: Any, where: str) -> None:
    """Refuse names that nobody reads.

    Args:
        found (Mapping): By name.
        known (Iterable[str]): Names that are read.
        where (str): Of the mapping, such as ``'test_cfg.rpn'``.

    Raises:
        ValueError: Naming the nearest one, or where it has gone.
    """
    for key in found:
        if key in known:
            continue
        if key in MOVED:
            raise ValueError(f'{where}.{key} is now a part of the list '
                             f'model.online: {MOVED[key]}')
        near = difflib.get_close_matches(
            key, [*known, *MOVED], 1, 0.) or ['']
        if near[0] in MOVED:
            raise ValueError(
                f'{where} has no {key!r}; if {near[0]!r} is meant, it is now '
                f'a part of the list model.online: {MOVED[near[0]]}')
        raise ValueError(f'{where} has no {key!r}; did you mean '
                         f'{near[0]!r}? It takes {sorted(known)}')


@dataclasses.dataclass(frozen=True)
class SelectionConfig:
    """How one anchor is chosen: ``test_cfg.rpn``.

    Args:
        penalty_k (float): Of a change of size and aspect ratio.
        window_influence (float): A Hanning window's share in the ranking,
            0..1.
        lr (float): Weight of a new size, at a score of 1.
        vote_iou (float, optional): The box is the mean of all that overlap
            the best one by about so much or more, weighted by their penalised
            scores and their overlap, see ``selection.vote``. Defaults to
            None: the best one's.
    """
    penalty_k: float
    window_influence: float
    lr: float
    vote_iou: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class RefineConfig:
    """What is made of the refinement head: ``test_cfg.refine``.

    Args:
        box (bool): False keeps the proposal's box: only the mask is of the
            refinement head then. Defaults to True.
        mask_thr (float): Probabilities above it are the target.
            Defaults to 0.3.
        mask_scale (float): The mask is of a RoI around the box whose sides
            are so many times as long as the box's: where that is too small,
            the target goes on. What ``train_cfg.refine.mask_scale`` was in
            training. Defaults to 1.
        min_contour_area (float): In pixels; a smaller mask has no rotated
            box of its own. Defaults to 100.

    Raises:
        ValueError: If ``mask_scale`` is not more than 0.
    """
    box: bool = True
    mask_thr: float = 0.3
    mask_scale: float = 1.
    min_contour_area: float = 100

    def __post_init__(self) -> None:
        if not _is_number(self.mask_scale) or self.mask_scale <= 0:
            raise ValueError('test_cfg.refine.mask_scale must be more than 0, '
                             f'but got {self.mask_scale!r}')


@dataclasses.dataclass(frozen=True)
class ReportConfig:
    """Which box is said to be the target's: ``test_cfg.report``.

    The tracker follows the corrected box with a smoothed size, which keeps the
    target. Several guesses at it whose errors differ are better on the
    average, and these are what is reported. By default it is what is
    followed.

    Args:
        shares (tuple[float, float, float]): Of the proposal, of the refined
            box, and of that box as ``model.online`` corrects it, in the
            reported box's mean. Defaults to (0, 0, 1).
        lr (float, optional): Weight of a new size, at a score of 1. None is
            that of ``test_cfg.rpn``. Defaults to None.
        mask_share (float): So much of the box around the mask's largest part
            goes into the box, 0..1. Defaults to 0.
        mask_iou (float): If the two overlap by so much. Defaults to 0.5.
        mask_trust (tuple[float, float], optional): In the first frame, the
            mask's box and the given one overlap by so much or less, and the
            mask has no say in the video; by so much or more, and it has all
            of its share. Defaults to None: always all.
        mask_calibration (float): So much of how the two differ in the first
            frame, edge by edge, is taken off the mask's box, 0..1.
            Defaults to 0.

    Raises:
        ValueError: If the shares are not three, of 0 or more, that make 1, the
            numbers of ``mask_trust`` are not two in order, or another number
            is not in 0..1.
    """
    shares: Tuple[float, float, float] = (0., 0., 1.)
    lr: Optional[float] = None
    mask_share: float = 0.
    mask_iou: float = 0.5
    mask_trust: Optional[Tuple[float, float]] = None
    mask_calibration: float = 0.

    def __post_init__(self) -> None:
        shares = self.shares
        if (not isinstance(shares, Sequence) or len(shares) != 3
                or not all(_is_number(share) for share in shares)
                or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6):
            raise ValueError(
                'test_cfg.report.shares must be three numbers of 0 or more, '
                'of the proposal, the refined and the corrected box, that '
                f'make 1, but got {shares!r}')
        trust = self.mask_trust
        if trust is not None and (not isinstance(trust, Sequence)
                                  or len(trust) != 2
                                  or not all(map(_is_number, trust))
                                  or not 0 <= trust[0] < trust[1] <= 1):
            raise ValueError(
                'test_cfg.report.mask_trust must be two overlaps in 0..1, the '
                f'lower one first, or None, but got {trust!r}')
        for name in ('lr', 'mask_share', 'mask_iou', 'mask_calibration'):
            value = getattr(self, name)
            if name == 'lr' and value is None:
                continue
            if not _is_number(value) or not 0 <= value <= 1:
                raise ValueError(f'test_cfg.report.{name} must be in 0..1, '
                                 f'but got {value!r}')

    @property
    def asks_first_mask(self) -> bool:
        """bool: Whether the first frame's mask says something of the rest."""
        return bool(self.mask_share and
                    (self.mask_trust is not None or self.mask_calibration))


@dataclasses.dataclass(frozen=True)
class TrackingConfig:
    """All of a model's ``test_cfg``.

    Args:
        rpn (SelectionConfig): How one anchor is chosen.
        refine (RefineConfig): What is made of the refinement head.
        report (ReportConfig): Which box is reported.
        exemplar_size (int): Side of the template crop. Defaults to 127.
        search_size (int): Side of the search crop. Defaults to 255.
        context_amount (float): Share of the mean side that is added on each
            side of the target. Defaults to 0.5.
        center_size (int, optional): Side to which template maps are cropped;
            None keeps them. Defaults to None.
        exact_crop (bool): Whether crops are cut between pixels, as training
            pairs are, and boxes count from pixels' edges. False is the
            released tracker's way: windows of whole pixels, whose corner is
            rounded down, and boxes half a pixel off. Defaults to False.
        min_size (float): Of a box, in pixels. Defaults to 10.
        precision (str): ``'fp32'`` or ``'bf16'``, which is faster on CPUs
            with bfloat16 products (on one without, float32 is used, and a
            warning says so), or ``'fp16'``, which takes a GPU.
            Defaults to 'fp32'.
        fold_norms (bool): Whether convs and norms run as one while tracking.
            Defaults to True.
        compile (bool): Whether backbone and RPN head, in their plain form, go
            to ``torch.compile``, which takes half a minute and a C++ compiler
            at the first frame; see docs/speed.md before. Defaults to False.
        cuda_graphs (bool): Whether a GPU replays what was recorded in a
            video's first frames; see docs/gpu.md. Defaults to True.
    """
    rpn: SelectionConfig
    refine: RefineConfig = RefineConfig()
    report: ReportConfig = ReportConfig()
    exemplar_size: int = 127
    search_size: int = SEARCH_SIZE
    context_amount: float = 0.5
    center_size: Optional[int] = None
    exact_crop: bool = False
    min_size: float = MIN_SIZE
    precision: str = PRECISIONS[0]
    fold_norms: bool = True
    compile: bool = False
    cuda_graphs: bool = True

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError('test_cfg.precision must be one of '
                             f'{PRECISIONS}, but got {self.precision!r}')

    @property
    def crop_middle(self) -> float:
        """float: The search crop's middle in the network's coordinates.

        Training counts pixels' centres, from 0. The released tracker gives
        the refinement head coordinates that count from the crop's edges.
        """
        return (self.search_size - self.exact_crop) / 2

    @property
    def edge(self) -> float:
        """float: What is added to a window's coordinates in a result.

        Windows count from pixels' centres, results from their edges. The
        released tracker goes half of the way: a given box's alone.
        """
        return 0.5 if self.exact_crop else 0.

    @classmethod
    def from_cfg(cls, test_cfg: Mapping[str, Any]) -> 'TrackingConfig':
        """Read a config's ``test_cfg``.

        Args:
            test_cfg (Mapping): Nested as this class is.

        Returns:
            TrackingConfig: Checked.

        Raises:
            ValueError: If a key is unknown, naming the nearest one, or
                missing.
        """
        parts = dict(test_cfg)
        for name, part in (('rpn', SelectionConfig), ('refine', RefineConfig),
                           ('report', ReportConfig)):
            parts[name] = _read(part, parts.get(name) or {},
                                f'test_cfg.{name}')
        return _read(cls, parts, 'test_cfg')


def _read(cls: Any, values: Mapping[str, Any], where: str) -> Any:
    fields = dataclasses.fields(cls)
    refuse_unknown(values, [field.name for field in fields], where)
    missing = [
        field.name for field in fields
        if field.default is dataclasses.MISSING and field.name not in values
    ]
    if missing:
        raise ValueError(f'{where} lacks {", ".join(missing)}')
    return cls(**values)
