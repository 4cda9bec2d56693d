"""Batches of training pairs."""
from siamattn_mm.benchmark.pair_stream import PairStream


def test_every_run_makes_new_pairs():
    seen = []

    class Numbers:

        def __getitem__(self, index):
            seen.append(index)
            return index

    stream = PairStream(Numbers(), 0, batch_size=2, num_batches=2)
    assert stream.pairs_per_second() > 0
    stream.pairs_per_second()
    assert seen == list(range(12))
