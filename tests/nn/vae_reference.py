"""diffusers' AutoencoderKL with random weights, in double.

usage: vae_reference.py FOLDER SEED CASES MISTAKES     CASES, MISTAKES: JSON, see below
FOLDER/CASE/ holds each network as diffusers saves it; with "renamed" also as ldm.safetensors and
old.safetensors, its older names. out.safetensors: CASE.pictures, CASE.mean, CASE.std, CASE.latents,
CASE.decoded; large_... of a larger picture, in tiles; MISTAKE.CASE.mean and so on of the same
network with one thing wrong.
"""

import json
import re
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from diffusers.models.downsampling import Downsample2D
from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
from safetensors.torch import save_file

folder = Path(sys.argv[1])
torch.manual_seed(int(sys.argv[2]))
cases, mistakes = json.loads(sys.argv[3]), json.loads(sys.argv[4])


def exact(*shape):
    """Random numbers that are the same in single precision."""
    return torch.randn(*shape).double()


def make(case):
    levels = len(case["widths"])
    vae = AutoencoderKL(
        block_out_channels=case["widths"], layers_per_block=case["layers"],
        norm_num_groups=case["groups"], latent_channels=case["latents"],
        sample_size=case["tile"], scaling_factor=0.5,
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels,
        use_quant_conv=not case.get("bare"), use_post_quant_conv=not case.get("bare"),
        mid_block_add_attention=not case.get("bare")).double().eval()
    with torch.no_grad():
        for parameter in vae.parameters():
            parameter.copy_(0.05 * exact(*parameter.shape))
        for half in () if case.get("bare") else (vae.encoder, vae.decoder):
            # Attention that looks at some places more than at others, so that its mistakes are seen.
            half.mid_block.attentions[0].to_q.weight *= 4
            half.mid_block.attentions[0].to_k.weight *= 4
        if case.get("wide"):  # log variances far beyond the clamp
            vae.quant_conv.bias[case["latents"]:] += torch.tensor([-90., -20., 15., 60.]).double()
    return vae


def moments(vae, pictures, clamp):
    out = vae.encode(pictures).latent_dist
    return out.mean, out.std if clamp else torch.exp(0.5 * out.parameters.chunk(2, 1)[1])


def run(vae, inputs, name, out, clamp=True):
    for size in ("", "large_"):
        vae.use_tiling = size == "large_"
        mean, std = moments(vae, inputs[size + "pictures"], clamp)
        out[name + size + "mean"], out[name + size + "std"] = mean, std
        out[name + size + "decoded"] = vae.decode(inputs[size + "latents"]).sample


def plant(vae, mistake):
    if mistake == "epsilon":
        for module in vae.modules():
            if isinstance(module, torch.nn.GroupNorm):
                module.eps = 1e-5
    elif mistake == "padding":
        for module in vae.modules():
            if isinstance(module, Downsample2D):
                module.padding, module.conv.padding = 1, (1, 1)
    elif mistake == "attention":
        for half in (vae.encoder, vae.decoder):
            half.mid_block.attentions[0] = None
    elif mistake == "heads":
        for half in (vae.encoder, vae.decoder):
            half.mid_block.attentions[0].heads = 2
    elif mistake == "seams":  # the neighbour as it was before its own fading
        for blend in ("blend_v", "blend_h"):
            right = getattr(vae, blend)
            setattr(vae, blend, lambda a, b, extent, right=right: right(a, b.clone(), extent))
    elif mistake != "clamp":
        raise ValueError(mistake)


def latent_diffusion_names(name, levels):
    name = name.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
    name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
    name = name.replace("to_out.0", "proj_out").replace("conv_shortcut", "nin_shortcut")
    name = re.sub(r"\.to_([qkv])\.", r".\1.", name).replace("conv_norm_out", "norm_out")
    name = re.sub(r"(down|up)_blocks\.(\d+)\.resnets", r"\1.\2.block", name)
    name = re.sub(r"(down|up)_blocks\.(\d+)\.(down|up)samplers\.0", r"\1.\2.\3sample", name)
    return re.sub(r"decoder\.up\.(\d+)", lambda m: f"decoder.up.{levels - 1 - int(m[1])}", name)


def save_renamed(vae, path):
    weights = vae.state_dict()
    ldm = {}
    for name, value in weights.items():
        linear = re.search(r"attentions\.0\.to_.*weight", name)
        ldm["first_stage_model." + latent_diffusion_names(name, len(vae.config.block_out_channels))] = \
            value[:, :, None, None].clone() if linear else value.clone()
    back = convert_ldm_vae_checkpoint(ldm, vae.config)
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name].reshape(weights[name].shape), weights[name]) for name in weights)
    ldm["first_stage_model.loss.logvar"] = torch.zeros(())
    ldm["model.diffusion_model.out.0.weight"] = torch.zeros(3)
    save_file(ldm, path / "ldm.safetensors")
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    save_file({re.sub(r"to_[qkv]|to_out\.0", lambda m: old[m[0]], name): value.clone()
               for name, value in weights.items()}, path / "old.safetensors")


out = {}
with torch.no_grad():
    for name, case in cases.items():
        vae = make(case)
        vae.save_pretrained(folder / name)
        if case.get("renamed"):
            save_renamed(vae, folder / name)
        stride = 2 ** (len(case["widths"]) - 1)
        inputs = {}
        for size in ("", "large_"):
            b, h, w = case[size + "size"]
            inputs[size + "pictures"] = exact(b, 3, h, w).clamp(-1, 1)
            inputs[size + "latents"] = exact(b, case["latents"], h // stride, w // stride)
        out |= {f"{name}.{key}": value for key, value in inputs.items()}
        run(vae, inputs, name + ".", out)
        for mistake in mistakes.get(name, []):
            wrong = AutoencoderKL.from_pretrained(folder / name, torch_dtype=torch.float64)
            plant(wrong, mistake)
            run(wrong, inputs, f"{mistake}.{name}.", out, clamp=mistake != "clamp")
save_file({name: value.contiguous().clone() for name, value in out.items()},
          folder / "out.safetensors")
