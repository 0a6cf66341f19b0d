"""A tiny model that chats, as a file: for tests that need one and not what it says."""

import numpy as np

import minigrad as mg
from minigrad.llama import ChatTokenizer, Llama, LlamaConfig, in_gguf
from minigrad.support import gguf

TEXT = (
    "You are a helpful AI assistant. user says hello, assistant says: hello there, my friend! " * 9
)
NAMES = {byte: name for name, byte in mg.bpe._byte_names().items()}


def tiny(context_size=256):
    """A model of random weights and its tokenizer."""
    mg.manual_seed(0)
    tokenizer = ChatTokenizer.train(TEXT, 320)
    model = Llama(LlamaConfig(tokenizer.vocab_size, context_size, 2, 4, 2, 32, 64)).eval()
    for parameter in model.parameters():
        parameter.data *= 4  # so that it prefers some tokens to others
    model.token_embedding.weight.data[list(tokenizer.special.values())] = 0  # but not to end
    return model, tokenizer


def values_of(model, tokenizer):
    """The values of a file that holds them."""
    c = model.config
    special = set(tokenizer.special.values())
    tokens = [
        piece.decode() if token in special else "".join(NAMES[byte] for byte in piece)
        for token, piece in enumerate(tokenizer.vocabulary)
    ]
    return {
        "general.architecture": "llama",
        "llama.block_count": c.num_blocks,
        "llama.context_length": c.context_size,
        "llama.embedding_length": c.embedding_dim,
        "llama.feed_forward_length": c.hidden_dim,
        "llama.attention.head_count": c.num_heads,
        "llama.attention.head_count_kv": c.num_kv_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": c.rope_base,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if t in special else 1 for t in range(len(tokens))],
        "tokenizer.ggml.merges": [f"{tokens[a]} {tokens[b]}" for a, b in tokenizer.merges],
    }


def tensors_of(model):
    """The tensors of a file that holds it."""
    tensors = {}
    for name, parameter in model.named_parameters():
        theirs, data = in_gguf(name), parameter.data
        if len(theirs) == 3:  # queries, keys and values stand apart
            c = model.config
            keys = c.num_kv_heads * c.head_dim
            parts = np.split(data, [c.embedding_dim, c.embedding_dim + keys])
            tensors |= dict(zip(theirs, parts))
        else:
            tensors[theirs[0]] = data
    return tensors


def write_tiny(path, context_size=256):
    """Write one into a GGUF file; returns the model and the tokenizer."""
    model, tokenizer = tiny(context_size)
    gguf.write(path, values_of(model, tokenizer), tensors_of(model))
    return model, tokenizer
