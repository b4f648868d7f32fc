"""The training step of tools/bench/train_step.cpp in PyTorch: diffusers' PixArtTransformer2DModel
with the layer norm of queries and keys, the same sizes and work (noise, forward, backward, gradient
sum, clip, AdamW, averaged weights), by DistributedDataParallel over gloo. Written as one would: fused
AdamW, foreach clip and average, text padded to the batch's longest.

usage: train_step.py rehearsal|33m eager|compile|products|shares RENDEZVOUS RANK WORLD STEPS

Rank 0 prints "step BEGUN ENDED" (monotonic clock, seconds) after each step. `products` computes the
step's matrix products alone, those of attention included, at the mean length of a text: what no
trainer over the same library can be faster than. `shares` prints where the eager step's time goes.
"""

import sys
import time

import torch
import torch.distributed as dist
from torch import nn

from train_step_network import WORK, network_of

SAMPLES = 256


class Training:
    def __init__(self, work, is_compiled):
        self.work = work
        torch.manual_seed(1)
        network = network_of(work)
        self.parameters = list(network.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.model = nn.parallel.DistributedDataParallel(network, gradient_as_bucket_view=True)
        if is_compiled:
            self.model = torch.compile(self.model)
        self.optimizer = torch.optim.AdamW(self.parameters, lr=2e-5, weight_decay=0.03, fused=True)
        side, low, high = work["size"], *work["texts"]
        self.pictures = torch.randn(SAMPLES, work["channels"], side, side)
        self.lengths = torch.randint(low, high + 1, (SAMPLES,))
        self.words = torch.randn(64, high, work["caption"])
        self.masks = (torch.arange(high)[None] < self.lengths[:, None]).long()
        abar = torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)
        self.alpha, self.sigma = abar.sqrt().float(), (1 - abar).sqrt().float()
        torch.manual_seed(dist.get_rank())

    def step(self):
        work = self.work
        index = torch.randint(0, SAMPLES, (work["batch"],))
        z0 = self.pictures[index]
        noise = torch.randn_like(z0)
        t = torch.randint(0, 1000, (work["batch"],))
        a, s = self.alpha[t, None, None, None], self.sigma[t, None, None, None]
        longest = int(self.lengths[index].max())
        text, mask = self.words[index % 64, :longest], self.masks[index, :longest]
        out = self.model(a * z0 + s * noise, encoder_hidden_states=text, timestep=t,
                         encoder_attention_mask=mask, return_dict=False,
                         added_cond_kwargs={"resolution": None, "aspect_ratio": None})[0]
        wanted = noise if work["prediction"] == "noise" else a * noise - s * z0
        loss = (out - wanted).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1e-4)
        loss.item()


class Products:
    """Every matrix product of the step, forward and backward, in buffers that are there."""

    def __init__(self, work):
        width, batch = work["heads"] * work["head"], work["batch"]
        tokens = (work["size"] // work["patch"]) ** 2
        words = (work["texts"][0] + work["texts"][1]) // 2
        rows, texts = batch * tokens, batch * words
        patch = work["channels"] * work["patch"] ** 2
        linears = [(rows, patch, width), (batch, 256, width), (batch, width, width),
                   (batch, width, 6 * width), (texts, work["caption"], width),
                   (texts, width, width), (rows, width, patch)]
        attentions = []
        for _ in range(work["depth"]):
            linears += [(rows, width, 3 * width), (rows, width, width), (rows, width, width),
                        (texts, width, 2 * width), (rows, width, width), (rows, width, 4 * width),
                        (rows, 4 * width, width)]
            attentions += [(tokens, tokens), (tokens, words)]
        pairs = batch * work["heads"]
        made = {}

        def buffer(*shape):  # one for each shape and use would be more memory than a step has
            return made.setdefault(shape, torch.randn(*shape))

        self.linears = [(buffer(m, k), buffer(n, k), buffer(m, n)) for m, k, n in linears]
        self.attentions = [(buffer(pairs, q, work["head"]), buffer(pairs, k, work["head"]),
                            buffer(pairs, q, k)) for q, k in attentions]
        # The first product needs no gradient of its input, and neither does the text's.
        self.leaves = {0, 1, 4}

    def step(self):
        with torch.no_grad():
            for x, weight, y in self.linears:
                torch.mm(x, weight.t(), out=y)
            for q, k, weights in self.attentions:
                torch.bmm(q, k.transpose(1, 2), out=weights)
                torch.bmm(weights, k)
            for q, k, weights in self.attentions:
                torch.bmm(weights.transpose(1, 2), q)
                torch.bmm(q, k.transpose(1, 2), out=weights)
                torch.bmm(weights, k)
                torch.bmm(weights.transpose(1, 2), q)
            for i, (x, weight, y) in enumerate(self.linears):
                if i not in self.leaves:
                    torch.mm(y, weight)
                torch.mm(y.t(), x)


def print_shares(training, steps):
    for _ in range(5):
        training.step()
    kinds = {}
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        begun = time.monotonic()
        for _ in range(steps):
            training.step()
        whole = time.monotonic() - begun
    for event in profile.key_averages():
        name, seconds = event.key, event.self_cpu_time_total / 1e6
        if "attention" in name:
            kind = "attention"
        elif "mm" in name or "linear" in name:
            kind = "GEMM"
        elif "AdamW" in name or "adam" in name or "_foreach" in name:
            kind = "optimizer"
        elif "gloo" in name or "DistributedDataParallel" in name or "Reducer" in name:
            kind = "communication"
        else:
            kind = "element-wise and rest"
        kinds[kind] = kinds.get(kind, 0) + seconds
    if dist.get_rank() == 0:
        for kind, seconds in kinds.items():
            print(f"share {100 * seconds / whole:5.1f} % {1e3 * seconds / steps:8.2f} ms  {kind}")
        rest = whole - sum(kinds.values())
        print(f"share {100 * rest / whole:5.1f} % {1e3 * rest / steps:8.2f} ms  "
              "waiting, and Python outside of operators")


def main():
    network, mode, rendezvous, rank, world, steps = sys.argv[1:]
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method="file://" + rendezvous, rank=int(rank),
                            world_size=int(world))
    work = WORK[network]
    contest = Products(work) if mode == "products" else Training(work, mode == "compile")
    if mode == "shares":
        print_shares(contest, int(steps))
    for _ in range(0 if mode == "shares" else int(steps)):
        begun = time.monotonic()
        contest.step()
        if dist.get_rank() == 0:
            print(f"step {begun:.6f} {time.monotonic():.6f}", flush=True)
    dist.barrier()
    dist.destroy_process_group()


main()
