"""A checkpoint as the authors of PixArt and EvolveDirector save theirs, from our safetensors file.

usage: save_checkpoint.py MODEL.safetensors OUT.pth
"""

import sys

import torch
from diffusers.models.embeddings import get_2d_sincos_pos_embed
from safetensors.torch import load_file


def main():
    weights = {name: value.bfloat16() for name, value in load_file(sys.argv[1]).items()}
    width = weights["x_embedder.proj.weight"].shape[0]
    positions = get_2d_sincos_pos_embed(width, 4, base_size=4, output_type="pt")  # 8 px, patch 2
    weights["pos_embed"] = positions[None].bfloat16()
    ema = {name: value * 0.5 for name, value in weights.items()}
    ema["pos_embed"] = weights["pos_embed"]
    torch.save({"state_dict": weights, "state_dict_ema": ema, "epoch": 1,
                "optimizer": {"state": {}, "param_groups": [{"lr": 2e-5}]}}, sys.argv[2])


main()
