"""A training loop as one writes it in PyTorch, on diffusers' PixArtTransformer2DModel with the layer
norm of queries and keys: noise prediction with learned variance, accumulation, clip, AdamW with decay
and warm-up, averaged weights.

usage: training_reference.py FOLDER SEED      writes FOLDER/out.safetensors

w.NAME are the start weights, x.* what each step sees. Then for each rate (R = 0, 1) and precision
(P = 64, 32): R.P.losses (steps), R.P.norms, and R.P.w.NAME and R.P.ema.NAME at the end.
"""

import math
import sys

import torch
from diffusers import PixArtTransformer2DModel
from safetensors.torch import save_file

STEPS, BATCH, MICRO, WARMUP = 200, 8, 4, 50
DECAY, EPSILON, BETAS, CLIP, EMA = 0.03, 1e-10, (0.9, 0.999), 0.7, 0.99
RATES = (2e-5, 1e-3)
CHANNELS, SIZE, PATCH, HEADS, HEAD, DEPTH, CAPTION, TOKENS = 4, 8, 2, 3, 16, 2, 20, 7


def build():
    model = PixArtTransformer2DModel(
        num_attention_heads=HEADS, attention_head_dim=HEAD, in_channels=CHANNELS,
        out_channels=2 * CHANNELS, num_layers=DEPTH, cross_attention_dim=HEADS * HEAD,
        sample_size=SIZE, patch_size=PATCH, interpolation_scale=1.0,
        use_additional_conditions=False, caption_channels=CAPTION)
    for block in model.transformer_blocks:
        for attention in (block.attn1, block.attn2):
            attention.norm_q = torch.nn.LayerNorm(HEAD, eps=1e-6, elementwise_affine=False)
            attention.norm_k = torch.nn.LayerNorm(HEAD, eps=1e-6, elementwise_affine=False)
    return model


class Loss:
    """Mean square error plus the bound in bits, of improved-diffusion's learned range."""

    def __init__(self):
        beta = torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64)
        self.abar = torch.cumprod(1 - beta, 0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), self.abar[:-1]])
        posterior = beta * (1 - before) / (1 - self.abar)
        self.log_beta, self.log_posterior = beta.log(), posterior.clone()
        self.log_posterior[0] = posterior[1]
        self.log_posterior = self.log_posterior.log()
        self.c1 = beta * before.sqrt() / (1 - self.abar)
        self.c2 = (1 - before) * (1 - beta).sqrt() / (1 - self.abar)

    def __call__(self, model, z0, noise, t, text, mask):
        def at(table):
            return table[t][:, None, None, None].to(z0.dtype)

        z = at(self.abar.sqrt()) * z0 + at((1 - self.abar).sqrt()) * noise
        out = model(z, encoder_hidden_states=text, timestep=t, encoder_attention_mask=mask,
                    added_cond_kwargs={"resolution": None, "aspect_ratio": None}).sample
        eps, share = out.chunk(2, 1)
        error = (noise - eps).square().mean((1, 2, 3))
        eps = eps.detach()
        guess = at((1 / self.abar).sqrt()) * z - at((1 / self.abar - 1).sqrt()) * eps
        share = (share + 1) / 2
        lp = share * at(self.log_beta) + (1 - share) * at(self.log_posterior)
        lq = at(self.log_posterior)
        mq, mp = (at(self.c1) * x + at(self.c2) * z for x in (z0, guess))
        bound = 0.5 * (-1 + lp - lq + (lq - lp).exp() + (mq - mp).square() * (-lp).exp())
        assert (t > 0).all()  # the likelihood of timestep 0 has tests of its own
        return error + bound.mean((1, 2, 3)) / math.log(2)


def train(weights, x, rate, dtype):
    model = build().to(dtype)
    model.load_state_dict({name: value.to(dtype) for name, value in weights.items()})
    parameters = list(model.parameters())
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=BETAS, eps=EPSILON,
                                  weight_decay=DECAY, foreach=False)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / WARMUP))
    loss_of, losses, norms = Loss(), [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for first in range(0, BATCH, MICRO):
            part = slice(first, first + MICRO)
            each = loss_of(model, x["z0"][step, part].to(dtype), x["noise"][step, part].to(dtype),
                           x["t"][step, part], x["text"][step, part].to(dtype),
                           x["mask"][step, part])
            loss = each.sum() / BATCH
            loss.backward()
            total += loss.item()
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, CLIP).item())
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            for mean, p in zip(average, parameters):
                mean.mul_(EMA).add_(p, alpha=1 - EMA)
        losses.append(total)
    names = [name for name, _ in model.named_parameters()]
    out = {"losses": torch.tensor(losses, dtype=torch.float64),
           "norms": torch.tensor(norms, dtype=torch.float64)}
    out |= {"w." + name: p.detach() for name, p in zip(names, parameters)}
    return out | {"ema." + name: mean for name, mean in zip(names, average)}


def main():
    folder, seed = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    model = build()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(0.05 * normal(*p.shape))
    weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
    lengths = torch.randint(1, TOKENS + 1, (STEPS, BATCH), generator=generator)
    x = {"z0": normal(STEPS, BATCH, CHANNELS, SIZE, SIZE),
         "noise": normal(STEPS, BATCH, CHANNELS, SIZE, SIZE),
         "t": torch.randint(1, 1000, (STEPS, BATCH), generator=generator),
         "text": normal(STEPS, BATCH, TOKENS, CAPTION),
         "mask": (torch.arange(TOKENS) < lengths[..., None]).long()}
    tensors = {"w." + name: value for name, value in weights.items()}
    tensors |= {"x." + name: value for name, value in x.items()}
    for r, rate in enumerate(RATES):
        for dtype, told in ((torch.float64, 64), (torch.float32, 32)):
            for name, value in train(weights, x, rate, dtype).items():
                tensors[f"{r}.{told}.{name}"] = value
    save_file({name: value.contiguous() for name, value in tensors.items()},
              f"{folder}/out.safetensors")


main()
