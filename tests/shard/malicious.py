"""Makes files that a reader must refuse, from the good ones in a directory.

Usage: malicious.py DIRECTORY. Reads steps.h5, samples.h5, images.h5, answers.h5; writes the bad
ones and cases.tsv: file, table, what the message must hold ("" = the file is good).
"""

import pathlib
import shutil
import struct
import sys

import h5py
import numpy as np

directory = pathlib.Path(sys.argv[1])
cases = []


def case(name, table, expected):
    """Gives an open copy of a good table to `change`, and lists what must be said of it."""

    def run(change):
        path = directory / f"{name}.h5"
        shutil.copy(directory / f"{table}.h5", path)
        with h5py.File(path, "r+") as file:
            change(file)
        cases.append((path.name, table, expected))
        return change

    return run


def raw_case(name, table, expected):
    """As case(), for a change to the bytes."""

    def run(change):
        path = directory / f"{name}.h5"
        path.write_bytes(change((directory / f"{table}.h5").read_bytes()))
        cases.append((path.name, table, expected))
        return change

    return run


def replace(file, name, **how):
    rows = len(how["data"]) if "data" in how else file[name].shape[0]
    del file[name]
    return file.create_dataset(name, **({"shape": (rows,)} | how))


# --- values that lie elsewhere ---
@case("external_storage", "steps", "/loss: its values lie in another file")
def _(file):
    rows = file["loss"].shape[0]
    replace(file, "loss", dtype="<f4", external=[("/etc/passwd", 0, 4 * rows)])


@case("external_link", "steps", "/loss: a soft, external or user-defined link")
def _(file):
    del file["loss"]
    file["loss"] = h5py.ExternalLink("steps.h5", "/loss")


@case("external_link_beside", "steps", "/more: a soft, external or user-defined link")
def _(file):
    file["more"] = h5py.ExternalLink("/etc/passwd", "/")


@case("soft_link", "steps", "/loss: a soft, external or user-defined link")
def _(file):
    del file["loss"]
    file["loss"] = h5py.SoftLink("/gradient_norm")


@case("virtual", "steps", "/loss: a virtual dataset")
def _(file):
    rows = file["loss"].shape[0]
    del file["loss"]
    layout = h5py.VirtualLayout((rows,), "<f4")
    layout[:] = h5py.VirtualSource("steps.h5", "loss", (rows,))
    file.create_virtual_dataset("loss", layout)


# --- sizes ---
@case("huge", "steps", "/step: declares an impossible size")
def _(file):
    del file["step"]
    file.create_dataset("step", (2**50,), "<i8", chunks=(1024,))


@case("many_rows", "steps", "/step: declares 8.6 GB but stores 0 B")
def _(file):
    del file["step"]
    file.create_dataset("step", (2**30,), "<i8", chunks=(1024,))


@case("bomb", "steps", "/step: declares")
def _(file):
    del file["step"]
    file.create_dataset("step", (2**30,), "<i8", chunks=(2**20,), compression="gzip")
    file["step"][:1] = 1


@case("contiguous_never_written", "steps", "/step: has no values")
def _(file):
    del file["step"]
    file.create_dataset("step", (2**40,), "<i8")


@case("large_chunk", "steps", "/step: chunks of more than 64 MiB")
def _(file):
    replace(file, "step", dtype="<i8", chunks=(2**24,), maxshape=(None,))


@case("many_objects", "steps", "more than 200 objects")
def _(file):
    for i in range(300):
        file.create_dataset(f"more{i}", (1,), "i1")


@case("large_attribute", "steps", "attribute large is larger than 64 KiB")
def _(file):
    file.attrs["large"] = np.zeros(100_000, "u1")


@case("large_attribute_of_column", "steps", "/loss: attribute large is larger than 64 KiB")
def _(file):
    file["loss"].attrs["large"] = np.zeros(100_000, "u1")


@case("many_attributes", "steps", "more than 64 attributes")
def _(file):
    for i in range(100):
        file.attrs[f"more{i}"] = i


@case("other_length", "steps", "/loss: 1 elements, expected 50")
def _(file):
    replace(file, "loss", shape=(1,), dtype="<f4", data=[1])


# --- types and layouts ---
@case("missing", "steps", "/loss: missing")
def _(file):
    del file["loss"]


@case("group", "steps", "/loss: not a dataset")
def _(file):
    del file["loss"]
    file.create_group("loss")


@case("other_type", "steps", "/loss: its type is float64, expected float32")
def _(file):
    replace(file, "loss", dtype="<f8", data=np.zeros(50))


@case("big_endian", "steps", "/loss: its type is float32 big-endian, expected float32")
def _(file):
    replace(file, "loss", dtype=">f4", data=np.zeros(50))


@case("two_dimensions", "steps", "/loss: not one-dimensional")
def _(file):
    replace(file, "loss", shape=(50, 2), dtype="<f4")


@case("scalar", "steps", "/loss: not one-dimensional")
def _(file):
    replace(file, "loss", shape=(), dtype="<f4")


@case("variable_text", "answers", "/text: its type is variable-length UTF-8, expected uint8")
def _(file):
    replace(file, "text", dtype=h5py.string_dtype(), data=["x"] * 50)


@case("reference", "steps", "/loss: its type is another type, expected float32")
def _(file):
    replace(file, "loss", dtype=h5py.ref_dtype, data=np.array([file.ref] * 50, h5py.ref_dtype))


@case("unknown_filter", "steps", "/loss: filter 32000")
def _(file):
    replace(file, "loss", dtype="<f4", data=np.zeros(50), compression="lzf")


@case("scale_offset", "steps", "/step: filter 6")
def _(file):
    replace(file, "step", dtype="<i8", data=np.arange(50), scaleoffset=0, chunks=(50,))


@case("compact", "steps", "/loss: neither contiguous nor chunked")
def _(file):
    rows = file["loss"].shape[0]
    del file["loss"]
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((rows,))
    h5py.h5d.create(file.id, b"loss", h5py.h5t.IEEE_F32LE, space, dcpl=how)


@case("chunked_pictures", "images", "/bytes: not contiguous")
def _(file):
    data = file["bytes"][:]
    replace(file, "bytes", dtype="u1", data=data, chunks=(1024,))


# --- values ---
@case("enum_value", "samples", "/status: row 3: value 200 is none of its enum")
def _(file):
    status = file["status"][:]
    status[3] = 200
    file["status"][:] = status


@case("enum_of_others", "samples", "/status: its type is enum (no, yes), expected enum (member")
def _(file):
    replace(file, "status", dtype=h5py.enum_dtype({"no": 0, "yes": 1}, "u1"), data=np.zeros(50, "u1"))


@case("no_such_name", "samples", "/target_teacher: row 2: index 1000 is none of its names")
def _(file):
    file["target_teacher"][2] = 1000


@case("negative_name", "samples", "/target_teacher: row 2: index -1 is none of its names")
def _(file):
    file["target_teacher"][2] = -1


@case("name_not_utf8", "samples", "/target_teacher_names: row 0: not UTF-8")
def _(file):
    replace(file, "target_teacher_names", shape=(5,), dtype=h5py.string_dtype("utf-8", 4), data=[b"\xff\xfe"] * 5)


@case("name_too_long", "samples", "/target_teacher_names: its type is UTF-8 of 5000 bytes")
def _(file):
    replace(file, "target_teacher_names", dtype=h5py.string_dtype("utf-8", 5000), data=[b"x"] * 5)


@case("id_upper_case", "samples", "/id: row 1: identifier is not 32 lower-case hex characters")
def _(file):
    file["id"][1] = b"A" * 32


@case("id_short", "samples", "/id: its type is ASCII of 31 bytes, expected ASCII of 32 bytes")
def _(file):
    replace(file, "id", dtype="S31", data=[b"a" * 31] * 50)


@case("offsets_fall", "answers", "/text_offsets: offsets do not rise")
def _(file):
    file["text_offsets"][10] = 0 if file["text_offsets"][9] > 0 else 2**40


@case("offsets_beyond", "images", "/bytes_offsets: offsets do not rise")
def _(file):
    file["bytes_offsets"][-1] += 1


@case("offsets_not_from_0", "images", "/bytes_offsets: offsets do not rise")
def _(file):
    file["bytes_offsets"][0] = 1


@case("text_changed", "answers", "/text: checksum of its texts is wrong")
def _(file):
    file["text"][0] ^= 1


@case("text_without_checksum", "answers", "/text: its attribute xxh3 is missing")
def _(file):
    del file["text"].attrs["xxh3"]


@case("picture_changed", "images", "checksum of its bytes is wrong")
def _(file):
    file["bytes"][0] ^= 1


@case("picture_checksum_changed", "images", "checksum of its bytes is wrong")
def _(file):
    file["bytes_xxh3"][:] = file["bytes_xxh3"][:] ^ np.uint64(1)


@case("prompt_changed", "samples", "/prompt: checksum of its texts is wrong")
def _(file):
    file["prompt"][0] = "another"


# --- who wrote it ---
@case("newer_major", "steps", "format 2.0 (this build reads 1.x) use the evolvedirector that wrote it")
def _(file):
    file.attrs.create("version", [2, 0], dtype="<i4")


@case("newer_minor", "steps", "")
def _(file):
    file.attrs.create("version", [1, 99], dtype="<i4")
    file.create_dataset("new_column", data=np.zeros(50, "f4"))


@case("deflated", "steps", "")
def _(file):
    data = file["loss"][:]
    replace(file, "loss", dtype="<f4", data=data, compression="gzip", shuffle=True, fletcher32=True)


@case("other_schema", "steps", "not an EvolveDirector file")
def _(file):
    file.attrs.create("schema", np.bytes_("openpmd"))


@case("no_schema", "steps", "root attribute schema is missing")
def _(file):
    del file.attrs["schema"]


@case("version_of_one_number", "steps", "root attribute version is missing or not two numbers")
def _(file):
    file.attrs.create("version", [1], dtype="<i4")


@case("version_as_text", "steps", "attribute version is")
def _(file):
    file.attrs["version"] = "1.0"


@case("variable_attribute", "steps", "attribute stage is variable-length UTF-8, expected a text")
def _(file):
    file.attrs["stage"] = "judge"


@case("no_round", "steps", "root attribute round is missing")
def _(file):
    del file.attrs["round"]


@case("other_table", "steps", "holds the table images, expected steps")
def _(file):
    file.attrs.create("table", np.bytes_("images"))


# --- bytes ---
@raw_case("empty", "steps", "not an HDF5 file")
def _(content):
    return b""


@raw_case("png", "steps", "not an HDF5 file")
def _(content):
    return b"\x89PNG\r\n\x1a\n" + content[8:]


@raw_case("user_block", "steps", "not an HDF5 file")
def _(content):
    return b"#!/bin/sh\n".ljust(512) + content


def change_reference(content, row, reference):
    with h5py.File(directory / "samples.h5") as file:
        offset = file["prompt"].id.get_offset()
    at = offset + 16 * row
    return content[:at] + reference(*struct.unpack("<IQI", content[at : at + 16])) + content[at + 16 :]


def a_long_row():
    with h5py.File(directory / "samples.h5") as file:
        return int(np.argmax([len(text) for text in file["prompt"][:]]))


@raw_case("text_address", "samples", "/prompt: a reference leads out of the file")
def _(content):
    return change_reference(content, a_long_row(), lambda n, a, i: struct.pack("<IQI", n, 2**60, i))


@raw_case("text_address_no_heap", "samples", "/prompt: a reference leads to no heap")
def _(content):
    return change_reference(content, a_long_row(), lambda n, a, i: struct.pack("<IQI", n, 0, i))


@raw_case("text_index", "samples", "/prompt: a reference leads to no text")
def _(content):
    return change_reference(content, a_long_row(), lambda n, a, i: struct.pack("<IQI", n, a, 60000))


@raw_case("text_length", "samples", "/prompt: a reference leads to no text")
def _(content):
    return change_reference(content, a_long_row(), lambda n, a, i: struct.pack("<IQI", 2**31, a, i))


@raw_case("text_shorter", "samples", "/prompt: checksum of its texts is wrong")
def _(content):
    return change_reference(content, a_long_row(), lambda n, a, i: struct.pack("<IQI", n - 1, a, i))


@raw_case("heap_size", "samples", "/prompt: a heap is larger than the file")
def _(content):
    at = content.index(b"GCOL") + 8
    return content[:at] + struct.pack("<Q", 2**62) + content[at + 8 :]


@raw_case("heap_object_size", "samples", "/prompt: a text reaches beyond its heap")
def _(content):
    at = content.index(b"GCOL") + 16 + 8
    return content[:at] + struct.pack("<Q", 2**62) + content[at + 8 :]


def small_addresses():
    path = directory / "small_addresses.h5"
    how = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    how.set_sizes(4, 4)
    h5py.h5f.create(str(path).encode(), h5py.h5f.ACC_TRUNC, how).close()
    cases.append((path.name, "steps", "addresses or lengths are not of 8 bytes"))


small_addresses()
(directory / "cases.tsv").write_text("".join("\t".join(case) + "\n" for case in cases))
print(len(cases))
