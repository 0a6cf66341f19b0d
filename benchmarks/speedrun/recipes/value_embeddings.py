"""The recipe `fast`, with value embeddings: a learned vector of each token is added to its values.

Each block has a table of its own, and learns how much of it to add. Source: Zhou et al., "Value
Residual Learning", 2024; as tables, "modded-nanogpt".
"""

import numpy as np

from minigrad import nn
from minigrad.apps.fast import FastAttention, FastBlock, FastGPT, FastGPTConfig
from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig
from minigrad.attention import causal_attention
from minigrad.init import normal_
from minigrad.shapes import cat


class ValueAttention(FastAttention):
    """Attention to values that have a part which depends on the token alone."""

    def __init__(self, config):
        super().__init__(config)
        self.share = nn.Parameter(np.zeros(1, np.float32))

    def forward(self, x, values):
        C = x.shape[-1]
        qkv = self._qkv(x)
        qkv = cat([qkv[..., : 2 * C], qkv[..., 2 * C :] + self.share * values], axis=-1)
        return self.out_proj(causal_attention(qkv, self.num_heads))


class ValueBlock(FastBlock):
    """A block that gets the tokens' values (B, T, C) beside x (B, T, C)."""

    def __init__(self, config):
        super().__init__(config)
        self.attn = ValueAttention(config)

    def forward(self, x, values):
        x = x + self.dropout(self.attn(self.into_attention(x), values))
        return x + self.dropout(self.ffn(self.into_mlp(x)))


class ValueGPT(FastGPT):
    """A FastGPT with a table of values for each block; it has no cache."""

    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.Sequential(*(ValueBlock(config) for _ in self.blocks))
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2 and name.startswith("blocks."):
                normal_(parameter, std=self._std(name, parameter))
        tables = (nn.Embedding(config.vocab_size, config.embedding_dim) for _ in self.blocks)
        self.tables = nn.Sequential(*tables)

    def forward(self, tokens):
        x = self.dropout(self.embedded(tokens))
        for block, table in zip(self.blocks, self.tables):
            x = block(x, table(tokens))
        return self.output_projection(self.output_ln(x))


def make_trainer(model, training, dataset):
    return FastTrainer(ValueGPT(FastGPTConfig(**model)), dataset, FastTrainingConfig(**training))
