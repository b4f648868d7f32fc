"""The work of tools/bench/sample.cpp by diffusers' PixArtAlphaPipeline, without T5 and VAE: states of
30 tokens are given, latents taken. Layer norm of queries and keys as load_edgen.py sets it.

usage: sample.py rehearsal|33m THREADS ROUNDS      prints "step BEGUN ENDED" after each round
"""

import sys
import time

import torch
from diffusers import DPMSolverMultistepScheduler, PixArtAlphaPipeline

from train_step_network import WORK, network_of


def main():
    name, threads, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    work = dict(WORK[name], channels=3)
    images = 8 if name == "33m" else 32
    pipeline = PixArtAlphaPipeline(tokenizer=None, text_encoder=None, vae=None,
                                   transformer=network_of(work).eval(),
                                   scheduler=DPMSolverMultistepScheduler())
    pipeline.set_progress_bar_config(disable=True)
    text = torch.randn(images, 30, work["caption"])
    mask = torch.ones(images, 30, dtype=torch.long)
    for _ in range(rounds):
        begun = time.monotonic()
        pipeline(prompt=None, negative_prompt=None, prompt_embeds=text, prompt_attention_mask=mask,
                 negative_prompt_embeds=torch.zeros_like(text),
                 negative_prompt_attention_mask=mask, num_inference_steps=20, guidance_scale=4.5,
                 height=8 * work["size"], width=8 * work["size"], use_resolution_binning=False,
                 output_type="latent")
        print(f"step {begun:.6f} {time.monotonic():.6f}", flush=True)


main()
