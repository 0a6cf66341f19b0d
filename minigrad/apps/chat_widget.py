"""The chat in a notebook: a conversation, and what the model saw in each of its tokens.

`chat_widget(model, tokenizer)` shows it, with what `load_llama` gives. It needs anywidget, the
bridge to the browser; the `Service` behind it is plain Python.
"""

import codecs
import math

import numpy as np

from minigrad.apps import bridge, web
from minigrad.apps.chat import honest_words
from minigrad.attention import _attention_weights
from minigrad.backprop import no_grad, quiet
from minigrad.chat import SYSTEM, Chat
from minigrad.gpt2_shakespeare import next_token_probabilities, nucleus
from minigrad.llama_layers import group_heads, rotations
from minigrad.support.settings import number, whole_number

SHOWN = 12  # candidates for the place of a token
LOOKED_BACK = 512  # tokens before it whose attention is shown
HOTTEST = 5  # the highest temperature


class Conversation(Chat):
    """A `Chat` that can go back: for another answer, for another token, or to look at a place.

    A place is the number of a token in `tokens`. Nothing is forgotten to make room: a conversation
    that has filled the context ends.
    """

    ended = ""  # why the last answer ended: "end", "length" or "full"

    def begin(self, text):
        """Put a message of the user, and the beginning of an answer, behind the conversation."""
        turns = [self.tokenizer.turn("user", text), self.tokenizer.start("assistant")]
        context = self.model.config.context_size
        if sum(map(len, self.turns + turns)) > context - 2:
            words = "is too long" if len(self.turns) == 1 else "does not fit any more"
            raise ValueError(
                f"This message {words}: the model sees {context} tokens. Shorten it, or begin a new "
                "conversation."
            )
        self.messages.append({"role": "user", "content": text})
        self.turns += turns

    def write(self):
        """Go on with the answer that is open; yields pairs (token, its surprise in bits)."""
        try:
            for _ in range(self.max_new_tokens):
                if len(self.tokens) >= self.model.config.context_size - 2:
                    self.ended = "full"
                    return
                logits = self._logits()
                if not np.isfinite(logits).all():
                    raise FloatingPointError("the model's logits are not finite numbers")
                token = self._choose(logits).token
                if token in self.tokenizer.special.values():  # nearly always the end of the turn
                    self.ended = "end"
                    return
                self.turns[-1].append(token)
                yield token, _bits(logits, token)
            self.ended = "length"
        finally:
            content = self.tokenizer.decode(self.content(len(self.turns) - 1))
            self.turns[-1] += [self.tokenizer.end, *self.tokenizer.encode("\n").tolist()]
            self.messages.append({"role": "assistant", "content": content})

    def content(self, turn):
        """The tokens of what was said in a turn, without those that mark its beginning and end."""
        begin = self.tokenizer.start(self.role(turn))
        tokens = self.turns[turn][len(begin) :]
        return (
            tokens[: tokens.index(self.tokenizer.end)] if self.tokenizer.end in tokens else tokens
        )

    def role(self, turn):
        """Who speaks in a turn."""
        return "system" if turn == 0 else "user" if turn % 2 else "assistant"

    def first(self, turn):
        """The place of the first token of what was said in a turn."""
        begin = self.tokenizer.start(self.role(turn))
        return sum(map(len, self.turns[:turn])) + len(begin)

    def cut(self, turn, place):
        """Forget everything from a place of a turn on; the turn is open again."""
        length = place - sum(map(len, self.turns[:turn]))
        del self.turns[turn + 1 :], self.turns[turn][length:], self.messages[turn:]
        for cache in self.caches:
            cache.length = min(
                cache.length, place - 1
            )  # the last token is read again, for its logits

    @no_grad()
    def look(self, place):
        """The logits (V,) for the token at a place, and the attention (N, H, place) that led there.

        The attention is that of the token before the place, to all tokens up to itself. The
        conversation stays as it is.
        """
        model, tokens = self.model, np.array(self.tokens[:place])[None]
        kept, last = self.caches, place - 1
        if kept[0].length < last:  # the newest tokens have not been read yet
            self._logits()
        c = model.config
        rotation = rotations(last, 1, c.head_dim, c.rope_base)
        x, maps = model.token_embedding(tokens[:, last:]), []
        with quiet():
            for block, cache in zip(model.blocks, kept):
                before = _Before(cache, last)
                qkv = block.attn._heads(block.norm1(x), rotation).data
                q, k, v = group_heads(qkv, c.num_kv_heads)
                keys, _ = before.extend(k, v)
                maps.append(_attention_weights(q, keys).reshape(c.num_heads, place))
                x = block(x, rotation, before)
            table = model.token_embedding if c.tie_weights else model.output_projection
            logits = model.output_norm(x).data[0, 0] @ table.weight.data.T
        return logits, np.stack(maps)


class _Before:
    """A cache as it was before a place; what is added to it is not kept."""

    def __init__(self, cache, length):
        self.keys, self.values = cache.keys[..., :length, :], cache.values[..., :length, :]

    def extend(self, k, v):
        keys, values = ([self.keys, k], [self.values, v])
        return np.concatenate(keys, axis=-2), np.concatenate(values, axis=-2)


def _bits(logits, token):
    """The surprise, in bits, at a token, given the logits (V,) for its place."""
    above = logits.astype(np.float64) - logits[token]
    most = above.max()
    return float(most + math.log(np.exp(above - most).sum())) / math.log(2)


class Service:
    """The methods that the view calls: see `web/chat.js`."""

    METHODS = ("history", "say", "again", "branch", "next", "stop", "look", "reset")

    def __init__(self, model, tokenizer, name="The model"):
        self.model, self.tokenizer, self.name = model.eval(), tokenizer, name
        self.session, self._steps, self._surprise = 0, None, {}
        self._conversation = Conversation(model, tokenizer)

    @property
    def info(self):
        """The model's name and sizes, and what to expect of it."""
        c = self.model.config
        return {
            "name": self.name,
            "note": honest_words(self.model),
            "system": SYSTEM,
            "blocks": c.num_blocks,
            "heads": c.num_heads,
            "context": c.context_size,
        }

    def history(self):
        """The turns so far: a list of {"who", "tokens"}."""
        self._end()
        turns = range(1, len(self._conversation.turns))
        return [{"who": "you" if t % 2 else "model", "tokens": self._tokens(t)} for t in turns]

    def say(self, text, settings):
        """Begin an answer to a message."""
        self._end()
        self._use(settings)
        talk = self._conversation
        if len(talk.turns) == 1 and talk.messages[0]["content"] != settings["system"]:
            talk = self._conversation = self._new(settings["system"], settings)
        if not isinstance(text, str) or not text.strip():
            raise ValueError("Say something first.")
        talk.begin(text)
        return {"session": self._begin(), "question": self._tokens(len(talk.turns) - 2)}

    def again(self, settings):
        """Forget the last answer, and begin another one."""
        self._end()
        self._use(settings)
        last = len(self._conversation.turns) - 1
        if last < 2:
            raise ValueError("There is no answer yet.")
        self._conversation.cut(last, self._conversation.first(last))
        return {"session": self._begin()}

    def branch(self, place, token, settings):
        """Go on from a place of an answer with another token; all tokens after it are removed."""
        self._end()
        self._use(settings)
        talk, turn = self._conversation, self._turn_of(place)
        whole_number("token", token, 0, self.model.config.vocab_size - 1)
        if talk.role(turn) != "assistant":
            raise ValueError("Only an answer can be gone on with: pick one of its tokens.")
        logits, _ = talk.look(place)
        talk.cut(turn, place)
        step = None
        if token not in self.tokenizer.special.values():
            talk.turns[-1].append(token)
            self._surprise[place] = _bits(logits, token)
            step = self._tokens(turn)[-1]
        return {"session": self._begin(over=step is None), "step": step}

    def next(self, session, count):
        """The next steps of an answer, at most `count`, and why it ended, or ""."""
        if session != self.session or self._steps is None:
            raise ValueError("This answer cannot be gone on with: ask again.")
        found = []
        for _ in range(min(count, 1 if self.model.num_parameters() > 1e7 else 8)):
            step = next(self._steps, None)
            if step is None:
                self._steps = None
                return {"steps": found, "end": self._conversation.ended}
            found.append(step)
        return {"steps": found, "end": ""}

    def stop(self, session):
        """End an answer where it is."""
        if session == self.session:
            self._end()

    def look(self, place, settings):
        """The other candidates for a place, and where the model looked when it chose."""
        self._turn_of(place)
        talk = self._conversation
        logits, maps = talk.look(place)
        cuts = self._checked(settings)
        own = next_token_probabilities(logits[None])[0]
        drawn = next_token_probabilities(logits[None], cuts["temperature"], cuts["top_k"])
        drawn = nucleus(drawn, cuts["top_p"])[0]
        tokens, written = talk.tokens, talk.tokens[place]
        ranked = np.lexsort((-own, -drawn))[:SHOWN].tolist()
        if written not in ranked:
            ranked[-1] = written
        size = min(place, LOOKED_BACK)
        return {
            "candidates": [
                {
                    "token": token,
                    "text": self._text(token),
                    "own": float(own[token]),
                    "drawn": float(drawn[token]),
                }
                for token in ranked
            ],
            "written": written,
            "texts": [self._text(token) for token in tokens[place - size : place]],
            "from": place - size,
            "maps": maps[:, :, -size:].reshape(-1),
        }

    def reset(self):
        """A new conversation."""
        self._end()
        self._conversation = Conversation(self.model, self.tokenizer)
        self._surprise.clear()

    # --- Parts ---

    def _checked(self, settings):
        """Settings as the view sends them, as `Chat` names them. Raises ValueError in words."""
        number("Temperature", settings["temperature"], 0, HOTTEST)
        if settings["topK"] is not None:
            whole_number("Top-k", settings["topK"], 1)
        if settings["topP"] is not None:
            number("Top-p", settings["topP"], 0, 1, above=True)
        whole_number("Longest answer", settings["length"], 1)
        whole_number("Seed", settings["seed"], 0)
        if not isinstance(settings["system"], str):
            raise ValueError(f"The system text must be text, not {settings['system']!r}.")
        return {
            "temperature": settings["temperature"],
            "top_k": min(settings["topK"] or math.inf, self.model.config.vocab_size),
            "top_p": settings["topP"] or 1.0,
            "max_new_tokens": settings["length"],
        }

    def _use(self, settings):
        for name, value in self._checked(settings).items():
            setattr(self._conversation, name, value)
        self._conversation.generator = np.random.default_rng(settings["seed"])

    def _new(self, system, settings):
        checked = self._checked(settings)
        return Conversation(self.model, self.tokenizer, system, **checked, seed=settings["seed"])

    def _begin(self, over=False):
        """The number of a new session, which goes on with the open answer."""
        self.session += 1
        self._conversation.ended = "end"
        if over:  # it was ended by the reader
            self._conversation.max_new_tokens = 0
        self._steps = self._write()
        return self.session

    def _write(self):
        talk = self._conversation
        turn = len(talk.turns) - 1
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for token in talk.content(turn):
            decoder.decode(self.tokenizer.vocabulary[token])
        for token, bits in talk.write():
            place = len(talk.tokens) - 1
            self._surprise[place] = bits
            text = decoder.decode(self.tokenizer.vocabulary[token])
            yield {"place": place, "text": text, "bits": bits}

    def _end(self):
        """End the answer that is being written, if there is one."""
        if self._steps is not None:
            # One that has not begun to run would not close its turn.
            next(self._steps, None)
            self._steps.close()
            self._steps = None

    def _turn_of(self, place):
        """The number of the turn in which a place lies. Raises ValueError where nothing was said."""
        talk = self._conversation
        if isinstance(place, int):
            for turn in range(1, len(talk.turns)):
                if 0 <= place - talk.first(turn) < len(talk.content(turn)):
                    return turn
        raise ValueError("There is no such token in this conversation.")

    def _tokens(self, turn):
        """What was said in a turn, token by token."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        first = self._conversation.first(turn)
        return [
            {
                "place": place,
                "text": decoder.decode(self.tokenizer.vocabulary[token]),
                "bits": self._surprise.get(place) if turn % 2 == 0 else None,
            }
            for place, token in enumerate(self._conversation.content(turn), first)
        ]

    def _text(self, token):
        return self.tokenizer.vocabulary[token].decode("utf-8", errors="replace")


def chat_widget(model, tokenizer, name="SmolLM2", **settings):
    """A chat as a notebook's widget. `settings`: system, temperature, topK, topP, length, seed.

    Raises ModuleNotFoundError, saying what to install, where anywidget is missing.
    """
    return bridge.widget(
        "ChatWidget",
        web.CHAT,
        Service(model, tokenizer, name),
        settings,
        without="`minigrad.chat.Chat` answers, and `python -m minigrad.apps.chat` chats in a terminal",
    )
