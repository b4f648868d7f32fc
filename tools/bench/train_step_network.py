"""The networks of the benchmarks train_step and sample, by diffusers."""

from torch import nn

WORK = {
    "rehearsal": dict(size=32, channels=3, patch=8, heads=4, head=32, depth=6, caption=64,
                      texts=(6, 12), batch=32, prediction="v"),
    "33m": dict(size=32, channels=4, patch=2, heads=6, head=64, depth=12, caption=4096,
                texts=(3, 120), batch=4, prediction="noise"),
}


def network_of(work):
    from diffusers import PixArtTransformer2DModel
    model = PixArtTransformer2DModel(
        num_attention_heads=work["heads"], attention_head_dim=work["head"],
        in_channels=work["channels"], out_channels=work["channels"], num_layers=work["depth"],
        cross_attention_dim=work["heads"] * work["head"], sample_size=work["size"],
        patch_size=work["patch"], interpolation_scale=1.0, use_additional_conditions=False,
        caption_channels=work["caption"])
    for block in model.transformer_blocks:
        for attention in (block.attn1, block.attn2):
            for name in ("norm_q", "norm_k"):
                setattr(attention, name,
                        nn.LayerNorm(work["head"], eps=1e-6, elementwise_affine=False))
    return model.train()
