"""A tiny model that chats: for tests that need one, and not what it says."""

import minigrad as mg
from minigrad.chat import ChatTokenizer
from minigrad.llama import Llama, LlamaConfig

TEXT = (
    "You are a helpful AI assistant. user says hello, assistant says: hello there, my friend! " * 9
)


def tiny(context_size=256):
    """A model of random weights and its tokenizer."""
    mg.manual_seed(0)
    tokenizer = ChatTokenizer.train(TEXT, 320)
    model = Llama(LlamaConfig(tokenizer.vocab_size, context_size, 2, 4, 2, 32, 64)).eval()
    for parameter in model.parameters():
        parameter.data *= 4  # so that it prefers some tokens to others
    model.token_embedding.weight.data[list(tokenizer.special.values())] = 0  # but not to end
    return model, tokenizer
