"""The same reading by others; samples a second.

shard_readers.py h5py DIR COUNT [--verify]     single samples of DIR/shard.h5 in random order;
                                               --verify: the checksum of each, as FORMAT.md says
shard_readers.py webdataset DIR                all of DIR/shard.tar in order
"""
import sys
import time

import numpy


def by_h5py(directory, count, verify):
    import h5py
    from xxhash import xxh3_64_intdigest

    with h5py.File(f"{directory}/shard.h5") as file:
        data = file["bytes"]
        offsets = file["bytes_offsets"][:].tolist()
        rows = numpy.random.default_rng(2).integers(len(offsets) - 1, size=count).tolist()
        sums = file["bytes_xxh3"][:].tolist()
        total = 0
        begun = time.perf_counter()
        for row in rows:
            picture = data[offsets[row]:offsets[row + 1]]
            total += picture.nbytes
            if verify and xxh3_64_intdigest(picture) != sums[row]:
                raise SystemExit(f"row {row} is damaged")
        wall = time.perf_counter() - begun
    assert total > 0
    return count / wall


def by_webdataset(directory):
    import webdataset

    rows = 0
    begun = time.perf_counter()
    for sample in webdataset.WebDataset(f"{directory}/shard.tar", shardshuffle=False):
        rows += len(sample["png"]) > 0
    return rows / (time.perf_counter() - begun)


if sys.argv[1] == "h5py":
    rate = by_h5py(sys.argv[2], int(sys.argv[3]), "--verify" in sys.argv)
else:
    rate = by_webdataset(sys.argv[2])
print(f"{rate:.1f}")
