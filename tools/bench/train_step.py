"""The training step of tools/bench/train_step.cpp in PyTorch: the same network, batch and work
(noise, forward, backward, gradient sum, clip, AdamW, averaged weights), by DistributedDataParallel
over gloo. Written as one would: functional.scaled_dot_product_attention, fused AdamW, foreach clip
and average.

usage: torchrun --nproc-per-node 2 train_step.py [steps] [batch per rank]     one line of JSON
"""

import json
import math
import os
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

WIDTH, DEPTH, HEAD, PATCH, SIZE, TEXT, TOKENS = 128, 6, 32, 8, 32, 64, 12
SAMPLES = 2048


def norm(x):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(6, WIDTH) / math.sqrt(WIDTH))
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.q = nn.Linear(WIDTH, WIDTH)
        self.kv = nn.Linear(WIDTH, 2 * WIDTH)
        self.cross = nn.Linear(WIDTH, WIDTH)
        self.fc1 = nn.Linear(WIDTH, 4 * WIDTH)
        self.fc2 = nn.Linear(4 * WIDTH, WIDTH)

    @staticmethod
    def attend(q, k, v, mask=None):
        q, k, v = (x.unflatten(-1, (-1, HEAD)).transpose(1, 2) for x in (q, k, v))
        out = F.scaled_dot_product_attention(norm(q), norm(k), v, attn_mask=mask)
        return out.transpose(1, 2).flatten(2)

    def forward(self, x, t0, text, mask):
        s1, c1, g1, s2, c2, g2 = (self.table + t0).unsqueeze(2).unbind(1)
        x = x + g1 * self.proj(self.attend(*self.qkv(norm(x) * (1 + c1) + s1).chunk(3, -1)))
        x = x + self.cross(self.attend(self.q(x), *self.kv(text).chunk(2, -1), mask))
        hidden = F.gelu(self.fc1(norm(x) * (1 + c2) + s2), approximate="tanh")
        return x + g2 * self.fc2(hidden)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        side = SIZE // PATCH
        self.patch = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.time = nn.Sequential(nn.Linear(256, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(WIDTH, 6 * WIDTH))
        self.text = nn.Sequential(nn.Linear(TEXT, WIDTH), nn.GELU("tanh"), nn.Linear(WIDTH, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.table = nn.Parameter(torch.randn(2, WIDTH) / math.sqrt(WIDTH))
        self.head = nn.Linear(WIDTH, PATCH * PATCH * 3)
        self.register_buffer("places", torch.randn(side * side, WIDTH))
        self.register_buffer("rate", torch.exp(torch.arange(128) * (-math.log(10000) / 128)))

    def forward(self, z, t, text, mask):
        angle = t[:, None] * self.rate
        t = self.time(torch.cat([angle.cos(), angle.sin()], 1))
        t0 = self.modulation(t).unflatten(1, (6, WIDTH))
        text = self.text(text)
        x = self.patch(z).flatten(2).transpose(1, 2) + self.places
        for block in self.blocks:
            x = block(x, t0, text, mask)
        shift, scale = (self.table + t[:, None]).unsqueeze(2).unbind(1)
        x = self.head(norm(x) * (1 + scale) + shift)
        side = SIZE // PATCH
        x = x.unflatten(1, (side, side)).unflatten(-1, (PATCH, PATCH, 3))
        return x.permute(0, 5, 1, 3, 2, 4).reshape(z.shape)


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    batch = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    torch.manual_seed(1)
    network = Network()
    model = nn.parallel.DistributedDataParallel(network, gradient_as_bucket_view=True)
    parameters = list(network.parameters())
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(parameters, lr=2e-5, weight_decay=0.03, fused=True)
    pictures = torch.randint(0, 256, (SAMPLES, 3, SIZE, SIZE), dtype=torch.uint8)
    words = torch.randn(SAMPLES, TOKENS, TEXT)
    lengths = torch.randint(6, TOKENS + 1, (SAMPLES,))
    masks = torch.arange(TOKENS)[None] < lengths[:, None]
    abar = torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)
    alpha, sigma = abar.sqrt().float(), (1 - abar).sqrt().float()
    torch.manual_seed(dist.get_rank())
    seconds = []
    for _ in range(steps):
        begun = time.perf_counter()
        index = torch.randint(0, SAMPLES, (batch,))
        z0 = pictures[index].float() / 127.5 - 1
        noise = torch.randn_like(z0)
        t = torch.randint(0, 1000, (batch,))
        a, s = alpha[t, None, None, None], sigma[t, None, None, None]
        keep = int(lengths[index].max())
        text, mask = words[index, :keep], masks[index, None, None, :keep]
        out = model(a * z0 + s * noise, t.float(), text, mask)
        loss = (out - (a * noise - s * z0)).square().mean()
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, parameters, 1e-4)
        loss.item()
        seconds.append(time.perf_counter() - begun)
    if dist.get_rank() == 0:
        used = sorted(seconds[steps // 5:])
        count = sum(p.numel() for p in parameters)
        print(json.dumps({"ms": round(1e3 * used[len(used) // 2], 2), "parameters": count}))
    dist.destroy_process_group()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
