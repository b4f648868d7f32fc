"""Decoding by our VAE and by diffusers' AutoencoderKL in turns, random weights at full size.

usage: vae.py PROGRAM FOLDER PIXELS TURNS THREADS TILE
"""

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

program, folder = sys.argv[1], Path(sys.argv[2])
pixels, turns, threads, tile = map(int, sys.argv[3:])
torch.set_num_threads(threads)
torch.manual_seed(0)
vae = AutoencoderKL(block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=tile or 256,
                    down_block_types=("DownEncoderBlock2D",) * 4,
                    up_block_types=("UpDecoderBlock2D",) * 4).eval()
vae.use_tiling = tile > 0
vae.save_pretrained(folder)


@torch.inference_mode()
def theirs(latents):
    start = time.perf_counter()
    pictures = vae.decode(latents).sample
    return time.perf_counter() - start, pictures


latents = torch.randn(1, 4, pixels // 8, pixels // 8)
save_file({"latents": latents, "pictures": theirs(latents)[1].clone()}, folder / "latents.safetensors")
ours = subprocess.Popen([program, folder, folder / "latents.safetensors", str(threads), str(tile)],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
times = {"ours": [], "diffusers": []}
for turn in range(turns + 1):  # the first warms up
    print("go", file=ours.stdin, flush=True)
    seconds, error, peak = ours.stdout.readline().split()
    other, _ = theirs(latents)
    print(f"turn {turn}  ours {seconds} s  diffusers {other:.4f} s  difference {error}", flush=True)
    if turn:
        times["ours"].append(float(seconds))
        times["diffusers"].append(other)
ours.stdin.close()
ours.wait()
a, b = (statistics.median(times[name]) for name in ("ours", "diffusers"))
print(f"decode of {pixels} px, {threads} threads, tile {tile or 'none'}: ours {a:.2f} s, "
      f"diffusers {b:.2f} s: {b / a:.2f}x as fast; peak {peak} MiB against "
      f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
