"""Samplers of diffusers with a network in the loop: a random PixArtTransformer2DModel under
guidance, its noise given from outside.

usage: samplers.py FOLDER SEED STEPS GUIDANCE

out.safetensors: w.NAME weights, z start noise, text and mask (dropped captions first), noise.I what
step I adds, end.SAMPLER the result. What their training scripts use, of the noise that step 0 adds
to z: snr (1000), and at `times` noised and velocity.
"""

import sys

import torch
from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler,
                       PixArtTransformer2DModel, SASolverScheduler)
from diffusers.schedulers import scheduling_ddpm, scheduling_sasolver
from diffusers.training_utils import compute_snr
from safetensors.torch import save_file

SAMPLERS = {
    "ddim": DDIMScheduler(clip_sample=False),
    "ddim-trailing": DDIMScheduler(clip_sample=False, timestep_spacing="trailing"),
    "dpmpp": DPMSolverMultistepScheduler(),
    "iddpm": DDPMScheduler(timestep_spacing="linspace", variance_type="learned_range",
                           clip_sample=False),
    "sa": SASolverScheduler(),
}


def main():
    folder, seed, steps, guidance = sys.argv[1], *map(int, sys.argv[2:4]), float(sys.argv[4])
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    batch, channels, height, width, tokens = 2, 4, 8, 12, 6
    model = PixArtTransformer2DModel(
        num_attention_heads=3, attention_head_dim=8, in_channels=channels,
        out_channels=2 * channels, num_layers=2, cross_attention_dim=24, sample_size=12,
        use_additional_conditions=False, caption_channels=10).double()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.15 * normal(*p.shape))
    z, text = normal(batch, channels, height, width), normal(2 * batch, tokens, 10)
    mask = (torch.arange(tokens)[None] < torch.tensor([1, 1, 6, 3])[:, None]).long()
    noise = [normal(batch, channels, height, width) for _ in range(steps)]
    out = {"w." + name: value for name, value in model.state_dict().items()}
    out |= {"z": z, "text": text, "mask": mask}
    out |= {f"noise.{i}": value for i, value in enumerate(noise)}

    # Their tables in single precision miss by more than the limit where 1 - abar / abar' cancels.
    betas = torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)
    for name, scheduler in SAMPLERS.items():
        scheduler.alphas_cumprod = torch.cumprod(1 - betas, 0)
        scheduler.set_timesteps(steps)
        x = z.clone()
        for i, t in enumerate(scheduler.timesteps):
            for module in (scheduling_ddpm, scheduling_sasolver):
                module.randn_tensor = lambda *a, i=i, **k: noise[i]
            with torch.no_grad():
                both = model(torch.cat([x, x]), encoder_hidden_states=text,
                             encoder_attention_mask=mask, timestep=t.expand(2 * batch)).sample
            dropped, kept = both.chunk(2)
            predicted = dropped[:, :channels] + guidance * (kept - dropped)[:, :channels]
            if name == "iddpm":
                predicted = torch.cat([predicted, kept[:, channels:]], 1)
            x = scheduler.step(predicted, t, x).prev_sample
        out["end." + name] = x
    forward = SAMPLERS["iddpm"]
    times = torch.tensor([7, 640])
    out |= {"snr": compute_snr(forward, torch.arange(1000)), "times": times,
            "noised": forward.add_noise(z, noise[0], times),
            "velocity": forward.get_velocity(z, noise[0], times)}
    save_file({name: value.contiguous() for name, value in out.items()},
              f"{folder}/out.safetensors")


main()
