"""Random weights of T5 v1.1's encoder at the width of XXL, in bf16, as transformers saves them."""

import json

import torch
from safetensors.torch import save_file

D_MODEL, D_FF, HEADS, D_KV = 4096, 10240, 64, 64


def write(folder, layers, vocab):
    """Sharded as transformers does. N(0, 0.05), every tensor another piece of one drawn block."""
    block = (torch.randn(D_FF * D_MODEL + 1_000_003) * 0.05).to(torch.bfloat16)

    def draw(*shape):
        size = torch.Size(shape).numel()
        parts, missing = [], size
        while missing > 0:
            first = int(torch.randint(0, 1_000_003, ()))
            parts.append(block[first:first + min(missing, D_FF * D_MODEL)])
            missing -= len(parts[-1])
        return torch.cat(parts).view(shape)

    weight_map = {}

    def shard(name, tensors):
        save_file(tensors, folder / name, {"format": "pt"})
        weight_map.update({tensor: name for tensor in tensors})

    shard("model-embeddings.safetensors", {
        "shared.weight": draw(vocab, D_MODEL), "encoder.final_layer_norm.weight": draw(D_MODEL),
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": draw(32, HEADS)})
    for i in range(layers):
        name = f"encoder.block.{i}.layer."
        tensors = {name + f"0.SelfAttention.{part}.weight": draw(D_MODEL, D_MODEL) for part in "qkvo"}
        tensors[name + "0.layer_norm.weight"] = draw(D_MODEL)
        tensors[name + "1.layer_norm.weight"] = draw(D_MODEL)
        tensors[name + "1.DenseReluDense.wi_0.weight"] = draw(D_FF, D_MODEL)
        tensors[name + "1.DenseReluDense.wi_1.weight"] = draw(D_FF, D_MODEL)
        tensors[name + "1.DenseReluDense.wo.weight"] = draw(D_MODEL, D_FF)
        shard(f"model-layer-{i:02}.safetensors", tensors)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    (folder / "config.json").write_text(json.dumps({
        "model_type": "t5", "feed_forward_proj": "gated-gelu", "d_model": D_MODEL, "d_kv": D_KV,
        "num_heads": HEADS, "d_ff": D_FF, "num_layers": layers, "vocab_size": vocab}))
