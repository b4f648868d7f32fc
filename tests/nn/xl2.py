"""Output and gradients of PixArt-XL/2 (610 M parameters) with the layer norm of queries and keys, in
float, by diffusers.

usage: xl2.py FOLDER SEED DEPTH SIDE      writes FOLDER/out.safetensors, as pixart.py does, case 0

DEPTH 28 is the whole network; SIDE is that of the latents. The weights' memory is given back before
the file is written, so that the whole takes about 10 GB.
"""

import sys

import torch
from safetensors.torch import save_file

from pixart import build, gradients, set_norms


def main():
    folder, seed, depth, side = sys.argv[1], *map(int, sys.argv[2:])
    generator = torch.Generator().manual_seed(seed)
    c = {"heads": 16, "head_dim": 72, "depth": depth, "patch": 2, "channels": 4,
         "input_size": side, "caption_width": 4096, "interpolation": 1.0,
         "qk_norm": "self_cross", "multi_aspect": False, "learned": True}

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    x = {"z": normal(2, 4, side, side), "t": torch.tensor([37.0, 811.0]),
         "text": normal(2, 120, 4096),
         "mask": (torch.arange(120)[None] < torch.tensor([[23], [120]])).long(),
         "mix": normal(2, 8, side, side)}
    model = build(c)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.05 * normal(*p.shape))
    set_norms(model, c)
    out, grads = gradients(model, x, torch.float32)
    tensors = {"0.x." + name: value for name, value in x.items()} | {"0.out32": out}
    tensors |= {"0.w." + name: value for name, value in model.state_dict().items()}
    tensors |= {"0.g32." + name: value for name, value in grads.items()}
    save_file({name: value.contiguous() for name, value in tensors.items()},
              f"{folder}/out.safetensors")


main()
