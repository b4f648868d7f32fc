"""Largest attention logits of networks on fixed inputs, by diffusers. For tools/bench/qk_norm.

usage: qk_norm_attention.py INPUTS MODEL...     one line of JSON: {MODEL: {"self": x, "cross": x}}

INPUTS holds states.safetensors (of text_states) and a picture for each text, 00.png, 01.png ...;
a MODEL is a folder that evd-weights convert wrote. Every picture is shown under ten amounts of
noise, which are the same for all models. A logit is q k / sqrt(d), before the softmax; of the text
only words count. A model that is no longer finite has none.
"""

import importlib.util
import json
import pathlib
import sys

import numpy
import torch
from diffusers import PixArtTransformer2DModel
from PIL import Image
from safetensors.torch import load_file

TIMESTEPS = range(99, 1000, 100)


class Logits:
    """Looks at what every attention gets, on its way."""

    def __init__(self):
        self.largest, self.lengths = {"self": -torch.inf, "cross": -torch.inf}, None
        self.attend = torch.nn.functional.scaled_dot_product_attention

    def __call__(self, query, key, value, attn_mask=None, **options):
        logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5  # (N, heads, queries, keys)
        kind = "self" if attn_mask is None else "cross"
        if kind == "cross":
            words = torch.arange(key.shape[-2])[None] < self.lengths[:, None]
            logits = logits.masked_fill(~words[:, None, None], -torch.inf)
        # NaN stays: max() of Python would drop it.
        self.largest[kind] = float(numpy.maximum(self.largest[kind], logits.max().item()))
        return self.attend(query, key, value, attn_mask=attn_mask, **options)


def network_of(folder):
    loader = folder / "load_edgen.py"
    if not loader.exists():
        return PixArtTransformer2DModel.from_pretrained(folder).eval()
    spec = importlib.util.spec_from_file_location("load_edgen", loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load_edgen(folder).eval()


def pictures_of(folder, side):
    """(N, 3, side, side) in [-1, 1]"""
    pictures = [Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BOX)
                for path in sorted(folder.glob("[0-9]*.png"))]
    return torch.stack([torch.from_numpy(numpy.array(p)).permute(2, 0, 1) / 127.5 - 1
                        for p in pictures])


def main():
    inputs, *models = map(pathlib.Path, sys.argv[1:])
    texts = load_file(inputs / "states.safetensors")
    mask = (torch.arange(texts["states"].shape[1])[None] < texts["lengths"][:, None]).long()
    kept = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)
    found = {}
    for folder in models:
        model, logits = network_of(folder), Logits()
        logits.lengths = texts["lengths"]
        torch.nn.functional.scaled_dot_product_attention = logits
        pictures = pictures_of(inputs, model.config.sample_size)
        noises = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for t in TIMESTEPS:
                noise = torch.randn(pictures.shape, generator=noises)
                noisy = kept[t].sqrt() * pictures + (1 - kept[t]).sqrt() * noise
                model(noisy.float(), encoder_hidden_states=texts["states"],
                      timestep=torch.full((len(pictures),), t), encoder_attention_mask=mask)
        torch.nn.functional.scaled_dot_product_attention = logits.attend
        found[str(folder)] = logits.largest
    print(json.dumps(found))


if __name__ == "__main__":
    main()
