"""The same work in Python: aiohttp, JSON, base64, and on demand h5py files of 64 MiB.

harvest_client.py URL COUNT IN_FLIGHT [--fast] [--h5 DIR]     --fast: uvloop and orjson
Prints images a second, from the first request to the last picture (or to the last file's close).
"""
import asyncio
import base64
import json
import sys
import time

import aiohttp

SHARD_BYTES = 64 << 20


class Shards:
    """Pictures as one byte dataset and offsets, a file as soon as it is full."""

    def __init__(self, directory):
        import h5py  # only who writes needs it

        self.h5py = h5py
        self.directory = directory
        self.files = 0
        self.pictures = []
        self.bytes = 0

    def add(self, picture):
        self.pictures.append(picture)
        self.bytes += len(picture)
        if self.bytes >= SHARD_BYTES:
            self.write()

    def write(self):
        if not self.pictures:
            return
        import numpy

        ends = numpy.cumsum([0] + [len(p) for p in self.pictures], dtype="u8")
        with self.h5py.File(f"{self.directory}/images-{self.files:05}.h5", "w") as file:
            data = file.create_dataset("bytes", (self.bytes,), "u1")
            data[...] = numpy.frombuffer(b"".join(self.pictures), "u1")
            file["bytes_offsets"] = ends
        self.files += 1
        self.pictures = []
        self.bytes = 0


async def main(url, count, in_flight, loads, keep):
    numbers = iter(range(count))
    headers = {"Content-Type": "application/json"}

    async def ask(session):
        for number in numbers:
            body = json.dumps({"model": "bench", "prompt": f"picture {number}", "n": 1,
                               "size": "256x256", "output_format": "png"}).encode()
            async with session.post(url, data=body, headers=headers) as response:
                answer = loads(await response.read())
            keep(base64.b64decode(answer["data"][0]["b64_json"]))

    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(ask(session) for _ in range(in_flight)))
    return begun


def run(arguments):
    url, count, in_flight = arguments[0], int(arguments[1]), int(arguments[2])
    fast = "--fast" in arguments
    shards = Shards(arguments[arguments.index("--h5") + 1]) if "--h5" in arguments else None
    keep = shards.add if shards else lambda picture: None
    if fast:
        import orjson
        import uvloop

        begun = uvloop.run(main(url, count, in_flight, orjson.loads, keep))
    else:
        begun = asyncio.run(main(url, count, in_flight, json.loads, keep))
    if shards:
        shards.write()
    print(f"{count / (time.perf_counter() - begun):.1f}")


run(sys.argv[1:])
