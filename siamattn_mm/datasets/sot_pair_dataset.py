"""Training pairs from several data sets."""
import logging
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np
from mmcv.transforms import Compose
from mmengine.logging import print_log
from mmtrack.registry import DATASETS, TRANSFORMS
from torch.utils.data import Dataset

from .errors import DataError, TooManyUnreadableError
from .reading.image_reader import ImageReader, UnreadableFrameError
from .samplers.pair_sampler import SampleID
from .sources.base import Frame, PairSource

# A source's share of unreadable frames means little before so many draws.
_MIN_DRAWS = 50
# So many in a row that cannot be read mean that nothing can, whatever share
# is allowed.
_MAX_ATTEMPTS = 1000


@DATASETS.register_module()
class SOTPairDataset(Dataset):
    """Pairs of a template and a search frame, drawn from several sources.

    A sample depends on the seed, the epoch and its place, and on nothing
    else: any number of workers makes the same pairs. All three come from
    :class:`PairSampler`; with another sampler the place alone counts.

    The places of an epoch are dealt to the sources in their order, to each
    its ``pairs_per_epoch``.

    A pair with a frame that cannot be read is replaced by another of the same
    source, the same one whenever it is made. The file is reported, by each
    worker that meets it. Each worker counts by itself, too: training stops
    when one of them finds too many.

    Args:
        sources (dict[str, dict | PairSource | None]): The sources by name.
            None leaves one out, so a source of an inherited config can be
            switched off.
        pipeline (Sequence[dict]): Transforms of a pair. They get a dict with
            ``rng``, ``img``, ``gt_bboxes`` (x, y, w, h), ``gt_masks`` and
            ``gt_bboxes_labels``, each but ``rng`` a list of two, template and
            search.
        neg_prob (float): Share of negative pairs. Defaults to 0.2.
        hard_neg_prob (float): Share of the negative pairs whose two objects
            come from one source, and there from one image if possible. The
            others are of two sources. Defaults to 0.5.
        max_unreadable (float): Training stops when more than this share of
            the draws from a source meet an unreadable frame. Defaults to 0.1.
        cache_mb (float): Decoded images that each worker keeps, in MB.
            Defaults to 256.
        seed (int): Seed for samplers that do not pass one. Defaults to 0.
        pairs_per_epoch (int, optional): Pairs in an epoch, shared out in
            proportion to the sources' own ``pairs_per_epoch``. Defaults to
            None: their sum.

    Raises:
        FileNotFoundError: If a source's files are not there.
        TypeError: If ``sources`` is not a dict of sources.
        ValueError: If no source is left, or a number is out of range.
    """

    def __init__(self,
                 sources: Dict[str, Union[dict, PairSource, None]],
                 pipeline: Sequence[dict],
                 neg_prob: float = 0.2,
                 hard_neg_prob: float = 0.5,
                 max_unreadable: float = 0.1,
                 cache_mb: float = 256,
                 seed: int = 0,
                 pairs_per_epoch: Optional[int] = None) -> None:
        for name, value in (('neg_prob', neg_prob),
                            ('hard_neg_prob', hard_neg_prob),
                            ('max_unreadable', max_unreadable)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be in [0, 1], but got {value}')
        self.sources = build_sources(sources)
        if neg_prob > 0 and len(self.sources) == 1 and not any(
                source.has_negatives for source in self.sources.values()):
            raise DataError(
                'negative pairs need a second source, since the only one, '
                f'{list(self.sources)[0]}, has one object only or '
                'distinct_objects=False; set neg_prob=0 to train without them')
        self.neg_prob = neg_prob
        self.hard_neg_prob = hard_neg_prob
        self.max_unreadable = max_unreadable
        self.seed = seed
        self.pipeline = Compose([TRANSFORMS.build(t) for t in pipeline])
        reader = ImageReader(int(cache_mb * 2**20))
        for source in self.sources.values():
            source.reader = reader
        self._names = list(self.sources)
        pairs = [s.pairs_per_epoch for s in self.sources.values()]
        self._ends = _share_out(pairs, pairs_per_epoch)
        self._draws = dict.fromkeys(self._names, 0)
        self._failures = dict.fromkeys(self._names, 0)
        self._reported = set()

    @property
    def metainfo(self) -> dict:
        """dict: What mmengine's visualizer wants to know."""
        return dict(classes=('object', ))

    def __len__(self) -> int:
        """Pairs an epoch."""
        return int(self._ends[-1])

    def source_of(self, place: int) -> str:
        """Name of the source that a place of an epoch is dealt to.

        Args:
            place (int): From 0 to ``len(self) - 1``.

        Returns:
            str: A key of ``sources``.
        """
        return self._names[int(
            np.searchsorted(self._ends, place, side='right'))]

    def __getitem__(self, index: Union[int, SampleID]) -> Any:
        """Make a pair.

        Args:
            index (int | SampleID): Which one. A number beyond the epoch's
                length counts on into the next epochs.

        Returns:
            Any: What the pipeline returns.

        Raises:
            RuntimeError: If too many of a source's frames cannot be read.
        """
        if not isinstance(index, tuple):
            epoch, place = divmod(int(index), len(self))
            index = (self.seed, epoch, place)
        sample_id = SampleID(*index)
        name = self.source_of(sample_id.index)
        for attempt in range(_MAX_ATTEMPTS):
            # Part of the seed, so that a replaced pair is the same wherever
            # it is made again.
            rng = np.random.default_rng(sample_id + (attempt, ))
            try:
                pair = self._draw(name, rng)
            except UnreadableFrameError as error:
                last_error = error
            else:
                pair.update(rng=rng, sample_id=tuple(sample_id))
                return self.pipeline(pair)
        raise RuntimeError(
            f'{_MAX_ATTEMPTS} pairs of source {name} in a row have an '
            f'unreadable frame. The last one: {last_error}')

    def _draw(self, name: str, rng: np.random.Generator) -> dict:
        """A pair before the pipeline."""
        positive = not rng.random() < self.neg_prob
        if positive:
            frames = self._read(name, 'draw_positive', rng)
        else:
            frames = self._draw_negative(name, rng)
        return dict(
            img=[frame.img for frame in frames],
            gt_bboxes=[frame.bbox[None].copy() for frame in frames],
            gt_masks=[frame.mask if positive else None for frame in frames],
            gt_bboxes_labels=[
                np.array([int(positive)], dtype=np.int64) for _ in frames
            ],
            img_path=frames[0].img_path,
            search_img_path=frames[1].img_path,
            source=name)

    def _draw_negative(self, name: str, rng: np.random.Generator) -> tuple:
        source = self.sources[name]
        others = [other for other in self._names if other != name]
        hard = rng.random() < self.hard_neg_prob or not others
        if hard and source.has_negatives:
            return self._read(name, 'draw_negative', rng)
        pairs = np.array([self.sources[o].pairs_per_epoch for o in others])
        other = others[rng.choice(len(others), p=pairs / pairs.sum())]
        return (self._read(name, 'draw_single', rng),
                self._read(other, 'draw_single', rng))

    def _read(self, name: str, draw: str, rng: np.random.Generator
              ) -> Union[Frame, Tuple[Frame, Frame]]:
        """Draw from a source, and keep count of what cannot be read."""
        self._draws[name] += 1
        try:
            return getattr(self.sources[name], draw)(rng)
        except UnreadableFrameError as error:
            self._report(name, error)
            raise

    def _report(self, name: str, error: UnreadableFrameError) -> None:
        """Warn once a file, and stop if there are too many."""
        self._failures[name] += 1
        if error.path not in self._reported:
            self._reported.add(error.path)
            print_log(
                f'source {name}: {error}; another pair takes its place',
                logger='current',
                level=logging.WARNING)
        failures, draws = self._failures[name], self._draws[name]
        if draws >= _MIN_DRAWS and failures > self.max_unreadable * draws:
            raise TooManyUnreadableError(
                f'{failures} of {draws} draws from source {name} '
                f'({self.sources[name]!r}) met an unreadable frame, more '
                f'than max_unreadable={self.max_unreadable} allows. The last '
                f'one: {error}')

    def __repr__(self) -> str:
        sources = '\n'.join(f'  {name}: {source!r}'
                            for name, source in self.sources.items())
        return (f'{type(self).__name__}: {len(self)} pairs an epoch, '
                f'neg_prob={self.neg_prob}\n{sources}')


def _share_out(pairs: Sequence[int], total: Optional[int]) -> np.ndarray:
    """Place after the last of each source, in proportion to its pairs."""
    ends = np.cumsum(pairs)
    if total is None:
        return ends
    if total < 1:
        raise ValueError(
            f'pairs_per_epoch must be 1 or more, but got {total}')
    # In whole numbers, for whatever the sum of the pairs is.
    return ends * total // ends[-1]


def build_sources(
        sources: Dict[str, Union[dict, PairSource, None]]
) -> Dict[str, PairSource]:
    """Build the sources that are in use.

    Args:
        sources (dict[str, dict | PairSource | None]): The sources by name.

    Returns:
        dict[str, PairSource]: Those with pairs in an epoch.

    Raises:
        FileNotFoundError: If a source's files are not there.
        TypeError: If ``sources`` is not a dict of sources.
        ValueError: If no source is left, or one of them is not usable.
    """
    if not isinstance(sources, dict):
        raise TypeError('sources must be a dict of sources by name, but got '
                        f'{type(sources).__name__}')
    built = dict()
    for name, source in sources.items():
        if source is None:
            continue
        if isinstance(source, dict):
            try:
                source = DATASETS.build(source)
            except FileNotFoundError as error:
                raise FileNotFoundError(
                    f'source {name}: {error}. Set '
                    f'train_dataloader.dataset.sources.{name}.data_root '
                    'to where the data is, or '
                    f'train_dataloader.dataset.sources.{name}=None to train '
                    'without it') from error
            except ValueError as error:
                raise DataError(f'source {name}: {error}') from error
        if not isinstance(source, PairSource):
            raise TypeError(f'source {name} is a {type(source).__name__}, '
                            'not a PairSource')
        if source.pairs_per_epoch > 0:
            built[name] = source
    if not built:
        raise DataError('no source with pairs in an epoch among '
                         f'{list(sources)}')
    return built
