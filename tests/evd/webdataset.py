"""Reads archives as WebDataset does: members of one basename, in a row, are one sample.

Usage: webdataset.py ARCHIVE.tar...
Prints a line for each sample: id, extension of the picture, SHA-256 of picture and of prompt.
"""

import hashlib
import itertools
import json
import sys
import tarfile

for path in sys.argv[1:]:
    with tarfile.open(path, "r|", errorlevel=2) as archive:
        members = ((m.name.split(".", 1), archive.extractfile(m).read()) for m in archive)
        for key, group in itertools.groupby(members, lambda member: member[0][0]):
            sample = {name[1]: content for name, content in group}
            row = json.loads(sample.pop("json"))
            prompt = sample.pop("txt")
            assert row["id"] == key and row["prompt"].encode() == prompt
            ((extension, picture),) = sample.items()
            digests = [hashlib.sha256(x).hexdigest() for x in (picture, prompt)]
            print(key, extension, *digests)
