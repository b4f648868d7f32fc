"""A checkpoint as the authors of PixArt and EvolveDirector save theirs, from our safetensors file.

usage: save_checkpoint.py MODEL.safetensors OUT.pth
"""

import sys

import torch
from safetensors.torch import load_file


def main():
    weights = {name: value.bfloat16() for name, value in load_file(sys.argv[1]).items()}
    width = weights["x_embedder.proj.weight"].shape[0]
    weights["pos_embed"] = torch.zeros(1, 16, width)  # 4 x 4 tokens: 8 px, patch 2
    ema = {name: value * 0.5 for name, value in weights.items()}
    torch.save({"state_dict": weights, "state_dict_ema": ema, "epoch": 1,
                "optimizer": {"state": {}, "param_groups": [{"lr": 2e-5}]}}, sys.argv[2])


main()
