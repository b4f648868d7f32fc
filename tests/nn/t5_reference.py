"""T5EncoderModel of transformers with random weights: its weights, texts and states, and the same
with one mistake each. FOLDER SEED DTYPE DEVIATION"""
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5EncoderModel
from transformers.models.t5 import modeling_t5

folder, seed, dtype = pathlib.Path(sys.argv[1]), int(sys.argv[2]), getattr(torch, sys.argv[3])
deviation = float(sys.argv[4])
torch.manual_seed(seed)
torch.set_default_dtype(dtype)
if dtype == torch.float64:
    # The original takes variances in float even where the network is double.
    def double_norm(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))

    modeling_t5.T5LayerNorm.forward = double_norm

config = T5Config(vocab_size=211, d_model=48, d_kv=8, num_heads=3, d_ff=80, num_layers=3,
                  feed_forward_proj="gated-gelu", dropout_rate=0.0, is_encoder_decoder=False,
                  use_cache=False)
config._attn_implementation = "eager"
model = T5EncoderModel(config).to(dtype).eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter.normal_(0, deviation)

lengths = [1, 7, 150, 33, 290]
longest = max(lengths)
ids = torch.randint(0, config.vocab_size, (len(lengths), longest))  # padding is not all the same
mask = (torch.arange(longest)[None] < torch.tensor(lengths)[:, None]).to(torch.long)
out = {"ids": torch.cat([ids[i, :n] for i, n in enumerate(lengths)]),
       "lengths": torch.tensor(lengths)}


def run(name, attention_mask=mask):
    with torch.no_grad():
        states = model(input_ids=ids, attention_mask=attention_mask).last_hidden_state
    out[name] = torch.cat([states[i, :n] for i, n in enumerate(lengths)]).contiguous()


run("states")
bucket = modeling_t5.T5Attention._relative_position_bucket


def distance_off_by_one(relative_position, **options):
    far = relative_position.abs() >= 8
    return bucket(relative_position + far * relative_position.sign(), **options)


modeling_t5.T5Attention._relative_position_bucket = staticmethod(distance_off_by_one)
run("bucket")
modeling_t5.T5Attention._relative_position_bucket = staticmethod(bucket)
run("mask", torch.ones_like(mask))
for block in model.encoder.block:
    block.layer[1].DenseReluDense.act = torch.nn.GELU()
run("erf")
for block in model.encoder.block:
    block.layer[1].DenseReluDense.act = torch.nn.GELU(approximate="tanh")
    block.layer[0].SelfAttention.q.weight.data /= config.d_kv ** 0.5
run("scale")
for block in model.encoder.block:
    block.layer[0].SelfAttention.q.weight.data *= config.d_kv ** 0.5
for norm in (m for m in model.modules() if isinstance(m, modeling_t5.T5LayerNorm)):
    norm.variance_epsilon = 1e-5
run("eps")

distances = torch.arange(-700, 701)
out["buckets"] = bucket(distances, bidirectional=True, num_buckets=32, max_distance=128)
save_file(out, folder / "out.safetensors")
weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()
           if name != "encoder.embed_tokens.weight"}
save_file(weights, folder / "model.safetensors", {"format": "pt"})
config.save_pretrained(folder)
