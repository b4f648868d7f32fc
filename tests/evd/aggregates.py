"""Compares CSV files that `evd query` wrote with the same aggregation in pandas.

Usage: aggregates.py CAMPAIGN FOLDER
"""

import pathlib
import sys

import h5py
import numpy as np
import pandas as pd


def read_table(path):
    """All columns of a file, by the rules of FORMAT.md."""
    with h5py.File(path) as file:
        columns = {}
        for name, data in file.items():
            if name.endswith(("_names", "_offsets", "_xxh3")) or name == "bytes":
                continue
            if name + "_names" in file:
                columns[name] = file[name + "_names"].asstr()[:][data[:]]
            elif name + "_offsets" in file:
                offsets, content = file[name + "_offsets"][:], data[:].tobytes()
                columns[name] = [content[a:b].decode() for a, b in zip(offsets, offsets[1:])]
            elif h5py.check_string_dtype(data.dtype):
                columns[name] = data.asstr()[:]
            elif h5py.check_enum_dtype(data.dtype) and data.dtype != bool:
                words = {n: word for word, n in h5py.check_enum_dtype(data.dtype).items()}
                columns[name] = [words[n] for n in data[:]]
            else:
                columns[name] = data[:]
        return pd.DataFrame(columns)


def compare(name, expected):
    found = pd.read_csv(folder / name, keep_default_na=False)
    expected = expected.set_axis(found.columns, axis=1)
    for column in found:
        if pd.api.types.is_numeric_dtype(expected[column]):
            np.testing.assert_allclose(found[column], expected[column], rtol=1e-9, err_msg=column)
        else:
            assert list(found[column]) == list(expected[column]), (name, column)


campaign, folder = map(pathlib.Path, sys.argv[1:])
files = sorted(campaign.glob("rounds/*/harvest/images-*.h5"))
images = pd.concat([read_table(path) for path in files], ignore_index=True)
images["cost"] = images.cost_microusd / 1e12
images["wide"] = images.width / 1e6
compare(
    "images.csv",
    images.groupby(["teacher", "outcome"])
    .agg(n=("id", "size"), cost=("cost", "mean"), wide=("wide", "sum"), last=("id", "max"))
    .reset_index(),
)

files = sorted(campaign.glob("rounds/*/judge/pairs.h5"))
pairs = pd.concat([read_table(path) for path in files], ignore_index=True)
pairs = pairs[pairs.split == "train"].assign(
    margin=lambda t: t.margin.astype("float64"), won=lambda t: t.verdict == "a"
)
compare(
    "pairs.csv",
    pairs.groupby("teacher_a")
    .agg(
        n=("id", "size"),
        margin=("margin", "mean"),
        won=("won", "sum"),
        first=("checkpoint", "min"),
    )
    .reset_index(),
)

samples = read_table(campaign / "rounds/0001/judge/set.h5")
joined = samples.merge(samples, left_on="parent", right_on="id", suffixes=("", "_p"))
compare(
    "joined.csv",
    joined.groupby("operation").agg(n=("id", "size"), last=("prompt_p", "max")).reset_index(),
)
print("equal")
