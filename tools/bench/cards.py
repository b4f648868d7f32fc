"""The training step of tools/bench/cards in PyTorch on one card, written as one would.

usage: cards.py eager|compile BATCH STEPS      prints milliseconds of a step, the median
"""

import statistics
import sys
import time

import torch
from torch import nn

from train_step_network import WORK, network_of

XL2 = dict(WORK["33m"], size=64, heads=16, head=72, depth=28)


class Training:
    def __init__(self, batch, is_compiled):
        torch.manual_seed(1)
        network = network_of(XL2).cuda()
        self.parameters = list(network.parameters())
        self.average = [p.detach().clone() for p in self.parameters]
        self.network = torch.compile(network) if is_compiled else network
        self.optimizer = torch.optim.AdamW(self.parameters, lr=2e-5, weight_decay=0.03, fused=True)
        self.batch = batch
        abar = torch.cumprod(1 - torch.linspace(1e-4, 2e-2, 1000, dtype=torch.float64), 0)
        self.alpha, self.sigma = abar.sqrt().float().cuda(), (1 - abar).sqrt().float().cuda()
        self.lengths = torch.randint(3, 121, (64 * batch,))

    def step(self, number):
        # From the host, as a loader gives them. Padded to 120, so that compiling happens once.
        z0 = torch.randn(self.batch, 4, 64, 64).cuda()
        text = torch.randn(self.batch, 120, 4096).cuda()
        first = number % 64 * self.batch
        lengths = self.lengths[first:first + self.batch].cuda()
        mask = (torch.arange(120, device="cuda")[None] < lengths[:, None]).long()
        noise = torch.randn_like(z0)
        t = torch.randint(0, 1000, (self.batch,), device="cuda")
        a, s = self.alpha[t, None, None, None], self.sigma[t, None, None, None]
        with torch.autocast("cuda", dtype=torch.bfloat16):
            out = self.network(a * z0 + s * noise, encoder_hidden_states=text, timestep=t,
                               encoder_attention_mask=mask, return_dict=False,
                               added_cond_kwargs={"resolution": None, "aspect_ratio": None})[0]
        loss = (out.float() - noise).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1e-4)
        return loss.item()


def main():
    mode, batch, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    training = Training(batch, mode == "compile")
    times = []
    for number in range(steps + 3):
        begun = time.monotonic()
        training.step(number)
        if number >= 3:
            times.append(time.monotonic() - begun)
    print(1e3 * statistics.median(times))


main()
