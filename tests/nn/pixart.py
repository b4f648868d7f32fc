"""PixArtTransformer2DModel of diffusers on random networks and inputs: outputs and gradients.

usage: pixart.py FOLDER SEED      writes FOLDER/out.safetensors and FOLDER/cases.json

Tensor I.w.NAME is a weight of case I, I.g.NAME its gradient (of the sum of output x mix), I.out the
output in double, I.out32 and I.g32.NAME the same in float, I.out16 and I.g16.NAME under autocast to
bfloat16, I.wrong.MISTAKE the output of a network
with that mistake.
"""

import json
import random
import sys

import torch
from diffusers import PixArtTransformer2DModel
from safetensors.torch import save_file


def draw_config(rng, norm, multi_aspect, learned):
    heads, head_dim = rng.choice([(3, 8), (2, 18), (3, 20), (2, 24), (4, 12)])
    patch = rng.choice([2, 2, 4])
    return {
        "heads": heads, "head_dim": head_dim, "depth": rng.randint(1, 3), "patch": patch,
        "channels": rng.randint(1, 4), "input_size": patch * rng.randint(3, 6),
        "caption_width": rng.randint(3, 20), "max_tokens": rng.randint(3, 9),
        "interpolation": rng.choice([0.5, 1.0, 2.0]), "qk_norm": norm,
        "multi_aspect": multi_aspect, "learned": learned, "batch": rng.randint(2, 4),
    }


def build(c):
    return PixArtTransformer2DModel(
        num_attention_heads=c["heads"], attention_head_dim=c["head_dim"],
        in_channels=c["channels"], out_channels=c["channels"] * (2 if c["learned"] else 1),
        num_layers=c["depth"], cross_attention_dim=c["heads"] * c["head_dim"],
        sample_size=c["input_size"], patch_size=c["patch"],
        interpolation_scale=c["interpolation"], use_additional_conditions=c["multi_aspect"],
        caption_channels=c["caption_width"])


def normalise(attention, head_dim, eps=1e-6):
    for name in ("norm_q", "norm_k"):
        setattr(attention, name, torch.nn.LayerNorm(head_dim, eps=eps, elementwise_affine=False))


def set_norms(model, c, eps=1e-6):
    for block in model.transformer_blocks:
        if c["qk_norm"] == "self_cross":
            normalise(block.attn1, c["head_dim"], eps)
        if c["qk_norm"] != "none":
            normalise(block.attn2, c["head_dim"], eps)


def run(model, x, dtype):
    added = None
    if "size" in x:
        added = {"resolution": x["size"].to(dtype), "aspect_ratio": x["aspect"].to(dtype)[:, None]}
    return model(x["z"].to(dtype), encoder_hidden_states=x["text"].to(dtype),
                 timestep=x["t"].to(dtype), added_cond_kwargs=added,
                 encoder_attention_mask=x["mask"]).sample


def gradients(model, x, dtype):
    model.zero_grad()
    out = run(model, x, dtype)
    (out * x["mix"].to(dtype)).sum().backward()
    return out.detach(), {name: p.grad.clone() for name, p in model.named_parameters()}


def erf_gelu(model):
    for block in model.transformer_blocks:
        block.ff.net[0].approximate = "none"


def other_epsilon(model):
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-5


def swapped_positions(model):
    place = model.pos_embed.pos_embed
    half = place.shape[-1] // 2
    model.pos_embed.pos_embed = torch.cat([place[..., half:], place[..., :half]], -1)


def wrong_outputs(c, weights, x):
    def no_norm(part):
        def drop(model):
            for block in model.transformer_blocks:
                attention = getattr(block, part)
                attention.norm_q = attention.norm_k = None
        return drop

    def sine_first(model):
        model.adaln_single.emb.time_proj.flip_sin_to_cos = False

    mistakes = {"erf_gelu": erf_gelu, "epsilon": other_epsilon, "sine_first": sine_first,
                "mask_dropped": lambda model: None}
    if c["qk_norm"] == "self_cross":
        mistakes["self_norm_off"] = no_norm("attn1")
    if c["qk_norm"] != "none":
        mistakes["cross_norm_off"] = no_norm("attn2")
    if not c["multi_aspect"]:
        mistakes["rows_and_columns_swapped"] = swapped_positions
    out = {}
    for name, plant in mistakes.items():
        model = build(c).double()
        model.load_state_dict(weights)
        set_norms(model, c)
        plant(model)
        inputs = {**x, "mask": torch.ones_like(x["mask"])} if name == "mask_dropped" else x
        with torch.no_grad():
            out[name] = run(model, inputs, torch.float64)
    return out


def case(c, rng, generator):
    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    batch, patch = c["batch"], c["patch"]
    height = width = c["input_size"]
    if c["multi_aspect"]:
        height, width = patch * rng.randint(2, 7), patch * rng.randint(2, 7)
    lengths = [rng.randint(1, c["max_tokens"]) for _ in range(batch)]
    lengths[0], lengths[1] = 1, c["max_tokens"]
    x = {
        # Whole numbers of float, so that both precisions see the same inputs.
        "z": normal(batch, c["channels"], height, width).float().double(),
        "t": torch.tensor([rng.uniform(0, 999) for _ in range(batch)]).float().double(),
        "text": normal(batch, c["max_tokens"], c["caption_width"]).float().double(),
        "mask": (torch.arange(c["max_tokens"])[None] < torch.tensor(lengths)[:, None]).long(),
        "mix": normal(batch, c["channels"] * (2 if c["learned"] else 1), height, width),
    }
    if c["multi_aspect"]:
        x["size"] = torch.tensor([[8.0 * height, 8.0 * width]] * batch).double()
        x["aspect"] = torch.tensor([float(f"{height / width:.2f}")] * batch).double()
    model = build(c).double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_((0.05 * normal(*p.shape)).float())
    set_norms(model, c)
    weights = model.state_dict()
    out, grads = gradients(model, x, torch.float64)
    tensors = {"x." + name: value for name, value in x.items()}
    tensors["out"] = out
    tensors |= {"wrong." + name: value for name, value in wrong_outputs(c, weights, x).items()}
    tensors |= {"w." + name: value for name, value in weights.items()}
    tensors |= {"g." + name: value for name, value in grads.items()}
    out, grads = gradients(model.float(), x, torch.float32)
    tensors["out32"] = out
    tensors |= {"g32." + name: value for name, value in grads.items()}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out, grads = gradients(model, x, torch.float32)
    tensors["out16"] = out.float()
    tensors |= {"g16." + name: value for name, value in grads.items()}
    return {name: value.contiguous().clone() for name, value in tensors.items()}


def main():
    folder, seed = sys.argv[1], int(sys.argv[2])
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    torch.set_num_threads(1)
    cases, tensors = [], {}
    for norm in ("none", "cross", "self_cross"):
        for multi_aspect in (False, True):
            c = draw_config(rng, norm, multi_aspect, rng.random() < 0.5)
            for name, value in case(c, rng, generator).items():
                tensors[f"{len(cases)}.{name}"] = value
            cases.append(c)
    save_file(tensors, f"{folder}/out.safetensors")
    with open(f"{folder}/cases.json", "w") as file:
        json.dump(cases, file)


if __name__ == "__main__":
    main()
