"""Compares a table with comma-separated values, column by column, by the rules of FORMAT.md.

Usage: compare.py TABLE.h5 EXPECTED.csv
"""

import csv
import hashlib
import sys

import h5py
import numpy as np

csv.field_size_limit(sys.maxsize)
with open(sys.argv[2], newline="", encoding="utf-8") as lines:
    header, *rows = csv.reader(lines)
names = header[:-1]  # each line ends with a comma
beside = ("_names", "_offsets", "_xxh3")

with h5py.File(sys.argv[1]) as file:
    assert file.attrs["schema"] == b"evolvedirector", file.attrs["schema"]
    assert list(file.attrs["version"]) == [1, 0]
    assert file.attrs["round"] == 0 and file.attrs["stage"] == b"judge"
    assert [n for n in file if not n.endswith(beside)] == sorted(names), list(file)
    for at, name in enumerate(names):
        data = file[name]
        texts = [row[at] for row in rows]
        if name + "_offsets" in file:
            offsets = file[name + "_offsets"][:]
            assert data.chunks is None and data.compression is None and offsets.dtype == "<u8"
            assert len(offsets) == len(rows) + 1 and offsets[0] == 0 and offsets[-1] == len(data)
            content = data[:].tobytes()
            parts = [content[a:b] for a, b in zip(offsets, offsets[1:])]
            # The same bytes by pread, as fast readers do it.
            with open(sys.argv[1], "rb") as raw:
                for part, begin in zip(parts, offsets):
                    raw.seek((data.id.get_offset() or 0) + int(begin))
                    assert raw.read(len(part)) == part
            if name + "_xxh3" in file:
                found = [hashlib.sha256(part).hexdigest() for part in parts]
            else:
                found = [part.decode("utf-8") for part in parts]
                assert data.attrs["xxh3"].dtype == "<u8"
        elif name + "_names" in file:
            words = file[name + "_names"].asstr()[:]
            found = [str(words[index]) for index in data[:]]
            assert data.dtype == "<i4"
        elif h5py.check_string_dtype(data.dtype):
            found = list(data.asstr()[:])
        elif data.dtype == bool:
            found = [str(int(value)) for value in data[:]]
        elif h5py.check_enum_dtype(data.dtype):
            words = {number: word for word, number in h5py.check_enum_dtype(data.dtype).items()}
            found = [words[number] for number in data[:]]
            assert data.dtype == "u1"
        else:
            found, texts = list(data[:]), list(np.array(texts, data.dtype))
        if len(rows) > 0 and name + "_offsets" not in file and name != "prompt":
            assert data.fletcher32 and data.chunks, name
        assert found == texts, (name, [x for x in zip(found, texts) if x[0] != x[1]][:1])
print(len(rows), "rows equal")
