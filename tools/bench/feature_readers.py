"""The same features by MosaicML Streaming. For tools/bench/features.

feature_readers.py write OUT < RANGES               an MDS data set of the samples whose bytes lie
                                                    where a line of RANGES says (features ranges)
feature_readers.py read OUT WORKERS warm|cold bytes|floats
    reads all samples again and again, each time in another order, in as many processes:
    "step BEGUN ENDED" after each; cold: the files leave the page cache before each; floats: numbers
    are converted to float32 as ours are, else they stay what they are in the file
"""
import multiprocessing
import os
import pathlib
import sys
import time
import warnings

import numpy
import torch
from streaming import LocalDataset, MDSWriter

AT_ONCE = 8  # samples that a worker takes from the order


def write(out):
    files = {}

    def bytes_at(name, offset, size):
        file = files.setdefault(name, os.open(name, os.O_RDONLY))
        return os.pread(file, int(size), int(offset))

    with MDSWriter(out=out, columns={"text": "bytes", "latent": "bytes"}) as writer:
        for line in sys.stdin:
            text, latent = line.split()[:3], line.split()[3:]
            writer.write({"text": bytes_at(*text), "latent": bytes_at(*latent)})
    os.sync()  # what is not on the disk yet would not leave the page cache


def numbers(sample, as_floats):
    text = torch.frombuffer(sample["text"], dtype=torch.bfloat16)
    latent = torch.frombuffer(sample["latent"], dtype=torch.float16)
    return (text.float(), latent.float()) if as_floats else (text, latent)


def worker(dataset, order, taken, as_floats, orders):
    """Reads what it can take of the order, whenever it is told to."""
    torch.set_num_threads(1)
    while orders.recv():
        while True:
            with taken.get_lock():
                begin = taken.value
                taken.value += AT_ONCE
            if begin >= len(order):
                break
            for index in order[begin:begin + AT_ONCE]:
                assert numbers(dataset[index], as_floats)[0].numel() > 0
        orders.send(True)


def read(out, workers, is_cold, as_floats):
    dataset = LocalDataset(out)
    context = multiprocessing.get_context("fork")
    order = context.RawArray("q", len(dataset))
    taken = context.Value("q", 0)
    pipes = []
    for _ in range(workers):
        ours, theirs = context.Pipe()
        context.Process(target=worker, args=(dataset, order, taken, as_floats, theirs),
                        daemon=True).start()
        pipes.append(ours)
    drawn = numpy.random.default_rng(2)
    while True:
        order[:] = drawn.permutation(len(dataset)).tolist()
        taken.value = 0
        if is_cold:
            for path in pathlib.Path(out).glob("*.mds"):
                with open(path, "rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        begun = time.monotonic()
        for pipe in pipes:
            pipe.send(True)
        for pipe in pipes:
            pipe.recv()
        print(f"step {begun:.6f} {time.monotonic():.6f}", flush=True)


warnings.filterwarnings("ignore", message="The given buffer is not writable")
if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    read(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "cold", sys.argv[5] == "floats")
