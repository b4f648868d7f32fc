"""The transformer's forward pass once more, in numpy and double, written from the published
formulas (PixArt-alpha: PixArt.py, PixArt_blocks.py) and sharing no code with ours.

usage: reference.py CASE.safetensors OUT.bin      OUT: the output as raw little-endian doubles
"""

import sys

import numpy as np
from safetensors import safe_open


def linear(w, name, x):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def layer_norm(x):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-6)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def silu(x):
    return x / (1 + np.exp(-x))


def positions(side, width):
    omega = 1 / 10000 ** (np.arange(width // 4) / (width / 4))
    table = np.zeros((side * side, width))
    for row in range(side):
        for column in range(side):
            table[row * side + column] = np.concatenate(
                [np.sin(column * omega), np.cos(column * omega),
                 np.sin(row * omega), np.cos(row * omega)])
    return table


def attend(q, k, v, heads, norm, lengths=None):
    """One sample at a time and one head at a time, over the tokens that are there."""
    out = np.zeros_like(q)
    size = q.shape[-1] // heads
    for b in range(q.shape[0]):
        keep = k.shape[1] if lengths is None else lengths[b]
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            qh, kh, vh = q[b, :, part], k[b, :keep, part], v[b, :keep, part]
            if norm:
                qh, kh = layer_norm(qh), layer_norm(kh)
            logits = qh @ kh.T / np.sqrt(size)
            weights = np.exp(logits - logits.max(-1, keepdims=True))
            out[b, :, part] = weights / weights.sum(-1, keepdims=True) @ vh
    return out


def forward(w, o, z, t, text, lengths):
    width, patch, heads = o["width"], o["patch"], o["width"] // o["head_dim"]
    side = o["input_size"] // patch
    batch = z.shape[0]
    rate = np.exp(-np.log(10000) * np.arange(128) / 128)
    angle = t[:, None] * rate[None]
    t = linear(w, "t_embedder.mlp.2",
               silu(linear(w, "t_embedder.mlp.0", np.concatenate([np.cos(angle), np.sin(angle)], 1))))
    t0 = linear(w, "t_block.1", silu(t)).reshape(batch, 6, width)
    y = linear(w, "y_embedder.y_proj.fc2", gelu_tanh(linear(w, "y_embedder.y_proj.fc1", text)))

    x = np.zeros((batch, side * side, width))
    kernel = w["x_embedder.proj.weight"].reshape(width, -1)
    for row in range(side):
        for column in range(side):
            square = z[:, :, row * patch:(row + 1) * patch, column * patch:(column + 1) * patch]
            x[:, row * side + column] = square.reshape(batch, -1) @ kernel.T
    x = x + w["x_embedder.proj.bias"] + positions(side, width)

    for i in range(o["depth"]):
        name = f"blocks.{i}."
        m = (w[name + "scale_shift_table"][None] + t0)[:, :, None]
        qkv = linear(w, name + "attn.qkv", layer_norm(x) * (1 + m[:, 1]) + m[:, 0])
        q, k, v = np.split(qkv, 3, -1)
        seen = attend(q, k, v, heads, o["qk_norm"] == "self_cross")
        x = x + m[:, 2] * linear(w, name + "attn.proj", seen)
        k, v = np.split(linear(w, name + "cross_attn.kv_linear", y), 2, -1)
        seen = attend(linear(w, name + "cross_attn.q_linear", x), k, v, heads,
                      o["qk_norm"] != "none", lengths)
        x = x + linear(w, name + "cross_attn.proj", seen)
        hidden = gelu_tanh(linear(w, name + "mlp.fc1", layer_norm(x) * (1 + m[:, 4]) + m[:, 3]))
        x = x + m[:, 5] * linear(w, name + "mlp.fc2", hidden)

    m = (w["final_layer.scale_shift_table"][None] + t[:, None])[:, :, None]
    tokens = linear(w, "final_layer.linear", layer_norm(x) * (1 + m[:, 1]) + m[:, 0])
    channels = tokens.shape[-1] // patch**2
    out = np.zeros((batch, channels, o["input_size"], o["input_size"]))
    for row in range(side):
        for column in range(side):
            square = tokens[:, row * side + column].reshape(batch, patch, patch, channels)
            out[:, :, row * patch:(row + 1) * patch, column * patch:(column + 1) * patch] = (
                square.transpose(0, 3, 1, 2))
    return out


def main():
    case, out = sys.argv[1:]
    with safe_open(case, "np") as file:
        w = {key: file.get_tensor(key).astype(np.float64) for key in file.keys()}
        o = {key.removeprefix("network."): value for key, value in file.metadata().items()
             if key.startswith("network.")}
    o = {key: int(value) if value.isdigit() else value for key, value in o.items()}
    forward(w, o, w["input.z"], w["input.t"], w["input.text"],
            w["input.lengths"].astype(int)).astype("<f8").tofile(out)


main()
