"""Loads a folder that `evd-weights convert --to diffusers` wrote, as a user would, and runs it.

usage: load_export.py FOLDER EXPORT SEED    writes FOLDER/out.safetensors: z, t, text, out; plain =
the output of from_pretrained alone, without the folder's load_edgen.py
"""

import os
import sys

import torch
from diffusers import PixArtTransformer2DModel
from safetensors.torch import save_file


def main():
    folder, export, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    plain, told = PixArtTransformer2DModel.from_pretrained(export, output_loading_info=True)
    for key in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        assert not told.get(key), f"{key}: {told[key]}"
    model = plain
    if os.path.exists(f"{export}/load_edgen.py"):
        sys.path.insert(0, export)
        from load_edgen import load_edgen
        model = load_edgen(export)
    generator = torch.Generator().manual_seed(seed)
    c = model.config
    z = torch.randn(2, c.in_channels, c.sample_size, c.sample_size, generator=generator)
    text = torch.randn(2, 5, c.caption_channels, generator=generator)
    t = torch.tensor([3.0, 700.0])
    out = {"z": z, "t": t, "text": text}
    added = None
    if c.use_additional_conditions:
        out["size"] = torch.tensor([[64.0, 64.0]] * 2)
        out["aspect"] = torch.ones(2)
        added = {"resolution": out["size"], "aspect_ratio": out["aspect"][:, None]}
    with torch.no_grad():
        for name, network in (("out", model), ("plain", plain)):
            out[name] = network(z, encoder_hidden_states=text, timestep=t,
                                added_cond_kwargs=added).sample
    save_file({name: value.contiguous().clone() for name, value in out.items()},
              f"{folder}/out.safetensors")


main()
