"""Right and wrong answers to the exercises of lesson 09."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "09.1": Answers(
        right=[
            """
pairs = {}
for word in words:
    for i in range(len(word) - 1):
        pair = word[i], word[i + 1]
        pairs[pair] = pairs.get(pair, 0) + words[word]
return pairs
""",
            """
pairs = defaultdict(int)
for word, count in words.items():
    for pair in itertools.pairwise(word):
        pairs[pair] += count
return pairs
""",
        ],
        wrong=[
            Mistake(
                "each word counted once",
                change=("+= count", "+= 1"),
                says="gives each of its pairs 10 times",
                advice="What does the number beside a word say? Count the example by hand.",
            ),
            Mistake(
                "a later word replaces the count",
                change=("+= count", "= count"),
                says="replaces that of an earlier one",
                advice="Which words of the example have the pair (2, 2)?",
            ),
            Mistake(
                "every second pair",
                """
pairs = Counter()
for word, count in words.items():
    for pair in zip(word[::2], word[1::2]):
        pairs[pair] += count
return pairs
""",
                says="not counted|every second pair",
                advice="Pairs overlap: three tokens make two pairs.",
            ),
            Mistake(
                "any two tokens of a word",
                """
pairs = Counter()
for word, count in words.items():
    for pair in itertools.combinations(word, 2):
        pairs[pair] += count
return pairs
""",
                says="not any two of the word",
                advice="Only neighbours can be merged into one piece.",
            ),
            Mistake(
                "pairs over the borders of words",
                """
pairs, before = Counter(), None
for word, count in words.items():
    for token in word:
        if before is not None:
            pairs[before, token] += count
        before = token
return pairs
""",
                says="over the border",
                advice="Words are keys of a dictionary; what stands next to a word is unknown.",
            ),
            Mistake(
                "overlapping pairs counted once",
                """
pairs = Counter()
for word, count in words.items():
    i = 0
    while i < len(word) - 1:
        pairs[word[i : i + 2]] += count
        i += 2 if word[i : i + 3] == word[i : i + 1] * 3 else 1
return pairs
""",
                says="pairs overlap: in",
                advice="Counting looks at neighbours; only merging must not use a token twice.",
            ),
            Mistake(
                "a list of pairs and counts",
                change=("return pairs", "return list(pairs.items())"),
                says="are to be a dictionary",
                advice="How would you look up one pair in what you return?",
            ),
            Mistake(
                "pairs that stand nowhere, with 0",
                """
pairs = {(left, right): 0 for word in words for left in word for right in word}
for word, count in words.items():
    for pair in zip(word, word[1:]):
        pairs[pair] += count
return pairs
""",
                says="a pair that stands nowhere",
                advice="Which of the pairs in the result stand in a word?",
            ),
            Mistake(
                "words used up",
                """
pairs = Counter()
while words:
    word, count = words.popitem()
    for pair in zip(word, word[1:]):
        pairs[pair] += count
return pairs
""",
                says="has lost what was in it",
                advice="What is left in `words` after your function, and who else holds it?",
            ),
            Mistake(
                "pairs sorted",
                change=("pairs[pair] += count", "pairs[tuple(sorted(pair))] += count"),
                says="a pair keeps its order",
                advice="Write down the pairs of `aba`.",
            ),
        ],
    ),
    "09.2": Answers(
        right=[
            """
merged = []
for part in word:
    if merged and (merged[-1], part) == pair and merged[-1] is not None:
        merged[-1] = -1
    else:
        merged.append(part)
return tuple(token if part == -1 else part for part in merged)
""",
            """
merged, rest = (), word
while rest:
    if rest[:2] == pair:
        merged, rest = merged + (token,), rest[2:]
    else:
        merged, rest = merged + rest[:1], rest[1:]
return merged
""",
        ],
        wrong=[
            Mistake(
                "only the first occurrence",
                """
for i in range(len(word) - 1):
    if word[i : i + 2] == pair:
        return word[:i] + (token,) + word[i + 2 :]
return word
""",
                says="only the first occurrence",
                advice="What happens to the second (1, 2) of the example?",
            ),
            Mistake(
                "the second half stays",
                change=("i += 2", "i += 1"),
                says="stays behind",
                advice="Print i and the list in each round: which tokens are read twice?",
            ),
            Mistake(
                "a list comes back",
                change=("return tuple(merged)", "return merged"),
                says="it will be the key of a dictionary",
                advice="Words are keys and are compared with tuples.",
            ),
            Mistake(
                "the end of the word overlooked",
                """
merged, i = [], 0
while i < len(word):
    if i + 2 < len(word) and word[i : i + 2] == pair:
        merged.append(token)
        i += 2
    else:
        merged.append(word[i])
        i += 1
return tuple(merged)
""",
                says="at the end of the word is overlooked",
                advice="For which i is the last pair word[i : i + 2]?",
            ),
            Mistake(
                "the last token lost",
                """
merged, i = [], 0
while i < len(word) - 1:
    if word[i : i + 2] == pair:
        merged.append(token)
        i += 2
    else:
        merged.append(word[i])
        i += 1
return tuple(merged)
""",
                says="last token of the word is lost",
                advice="A loop up to the last pair leaves out a last token that is in no pair.",
            ),
            Mistake(
                "the pair in any order",
                change=("== pair", "in (pair, pair[::-1])"),
                says="is not the pair",
                advice="`he` and `eh` are different pairs.",
            ),
            Mistake(
                "from the right",
                """
merged, i = [], len(word)
while i > 0:
    if i > 1 and word[i - 2 : i] == pair:
        merged.append(token)
        i -= 2
    else:
        merged.append(word[i - 1])
        i -= 1
return tuple(reversed(merged))
""",
                says="from the right",
                advice="Training went from the left; aaa must become the same tokens every time.",
            ),
            Mistake(
                "a token in two pairs",
                """
merged, i = [], 0
while i < len(word):
    if word[i : i + 2] == pair:
        merged.append(token)
        i += 1 if word[i + 1 : i + 3] == pair else 2
    else:
        merged.append(word[i])
        i += 1
return tuple(merged)
""",
                says="took part in two pairs",
                advice="Decode the result: are there more bytes than before?",
            ),
            Mistake(
                "merged in the word written as text",
                """
left, right = pair
text = " ".join(map(str, word)).replace(f"{left} {right}", str(token))
return tuple(map(int, text.split()))
""",
                says="tokens are numbers",
                advice="Write down the text of the word (11, 2), and look for the pair in it.",
            ),
            Mistake(
                "a list compared with a tuple",
                change=("word[i : i + 2] == pair", "list(word[i : i + 2]) == pair"),
                says="no pair was found",
                advice="Try [1, 2] == (1, 2) in a cell.",
            ),
        ],
    ),
    "09.3": Answers(
        right=[
            """
while True:
    known = [(ranks[pair], pair) for pair in zip(word, word[1:]) if pair in ranks]
    if not known:
        return word
    _, pair = min(known)
    word = merge(word, pair, merges[pair])
""",
            """
found = True
while found:
    found = False
    for pair in sorted(merges, key=ranks.get):
        if pair in zip(word, word[1:]):
            word, found = merge(word, pair, merges[pair]), True
            break
return word
""",
        ],
        wrong=[
            Mistake(
                "from left to right",
                """
merged = True
while merged:
    merged = False
    for pair in zip(word, word[1:]):
        if pair in merges:
            word, merged = merge(word, pair, merges[pair]), True
            break
return word
""",
                says="the leftmost pair was merged",
                advice="Which of the two pairs of abc was learned first?",
            ),
            Mistake(
                "the highest rank",
                change=(
                    "min(zip(word, word[1:]), key=lambda pair: ranks.get(pair, math.inf))",
                    "max(zip(word, word[1:]), key=lambda pair: ranks.get(pair, -1))",
                ),
                says="highest rank was merged",
                advice="The pair learned first has the rank 0.",
            ),
            Mistake(
                "the smallest token in the place of the rank",
                change=("ranks.get", "merges.get"),
                says="smaller token decided",
                advice="A merge may make a piece that had its number already.",
            ),
            Mistake(
                "one merge only",
                """
if len(word) > 1:
    pair = min(zip(word, word[1:]), key=lambda pair: ranks.get(pair, math.inf))
    if pair in merges:
        word = merge(word, pair, merges[pair])
return word
""",
                says="stopped after one merge",
                advice="Which pairs has the word after its first merge?",
            ),
            Mistake(
                "the pairs of the original word only",
                """
pairs = sorted(set(zip(word, word[1:])) & set(merges), key=ranks.get)
for pair in pairs:
    word = merge(word, pair, merges[pair])
return word
""",
                says="new tokens form pairs too",
                advice="The list of pairs was made before the first merge.",
            ),
            Mistake(
                "one pass over all merges",
                """
for pair in sorted(merges, key=ranks.get):
    word = merge(word, pair, merges[pair])
return word
""",
                says="one pass over the merges",
                advice="Close, and slow: a merge may produce a pair that the pass has left behind.",
            ),
            Mistake(
                "words of two tokens are left alone",
                change=("> 1", "> 2"),
                says="word of two tokens is left alone",
                advice="How many pairs has a word of two tokens?",
            ),
            Mistake(
                "a generator",
                change=("return word", "yield from word"),
                says="has a `yield` in it",
                advice="Ask the result for its tokens twice: list(result), and again.",
            ),
            Mistake(
                "merges used up",
                change=("merges[pair])", "merges.pop(pair))"),
                says="is not what it was",
                advice="What is left in `merges` for the next word?",
            ),
        ],
    ),
    "09.4": Answers(
        right=[
            """
data = b""
for token in tokens:
    data += vocabulary[token]
return data.decode(errors="replace")
""",
            """
decoder = codecs.getincrementaldecoder("utf-8")("replace")
return "".join(decoder.decode(vocabulary[t]) for t in tokens) + decoder.decode(b"", True)
""",
        ],
        wrong=[
            Mistake(
                "token by token",
                """
return "".join(vocabulary[token].decode("utf-8", errors="replace") for token in tokens)
""",
                says="each token was read by itself",
                advice="Which text is the single byte C3?",
            ),
            Mistake(
                "broken bytes are an error",
                change=(', errors="replace"', ""),
                says="end in an error",
                advice="What does a sampler do with the error, in the middle of a text?",
            ),
            Mistake(
                "broken bytes are left out",
                change=('"replace"', '"ignore"'),
                says="nobody sees that something was there",
                advice="A sign of damage is more useful than silence.",
            ),
            Mistake(
                "token by token, broken bytes left out",
                """
return "".join(vocabulary[token].decode("utf-8", errors="ignore") for token in tokens)
""",
                says="although together they are",
                advice="Join first.",
            ),
            Mistake(
                "each byte a character",
                change=('decode("utf-8", errors="replace")', 'decode("latin-1")'),
                says="each byte became a character",
                advice="Latin-1 never fails, and that is why it hides this mistake.",
            ),
            Mistake(
                "spaces between the tokens",
                change=('b""', 'b" "'),
                says="something between the pieces",
                advice="A token brings its space with it.",
            ),
            Mistake(
                "a byte order mark skipped",
                change=('"utf-8"', '"utf-8-sig"'),
                says="every character of the text is kept",
                advice="A file may begin with a mark. May a model's text, too?",
            ),
            Mistake(
                "spaces at the borders taken off",
                change=('errors="replace")', 'errors="replace").strip()'),
                says="spaces and line ends at the borders",
                advice="A token begins with its space: what becomes of the first word of a piece?",
            ),
        ],
    ),
    "09.5": Answers(
        right=[
            """
tokens = []
for piece in self._special.split(text) if allow_special else [text]:
    if allow_special and piece in self.special:
        tokens.append(self.special[piece])
        continue
    for word in self.cut_words(piece):
        tokens.extend(self._tokens[word])
""",
            """
pieces = self._special.split(text) if allow_special else [text]
tokens = []
for place in range(len(pieces)):
    if place % 2 == 1:
        tokens = tokens + [self.special[pieces[place]]]
    else:
        words = self.cut_words(pieces[place])
        tokens = tokens + [token for word in words for token in self._tokens[word]]
""",
        ],
        wrong=[
            Mistake(
                "special tokens always",
                change=(" if allow_special else [text]", ""),
                says="user's text has made a special token",
                advice="Who decides whether the text may hold signals?",
            ),
            Mistake(
                "special tokens never",
                change=("self._special.split(text) if allow_special else [text]", "[text]"),
                says="the special token is spelled out",
                advice="What changes with allow_special=True?",
            ),
            Mistake(
                "special tokens are dropped",
                change=("tokens.append(self.special[piece])", "continue"),
                says="the special token is lost",
                advice="split returns the special tokens too; they are signals, not separators.",
            ),
            Mistake(
                "ordinary text beside a special token is dropped",
                """
tokens = []
if allow_special:
    tokens = [self.special[name] for name in self._special.findall(text)]
if not tokens:
    for word in self.cut_words(text):
        tokens += self._tokens[word]
""",
                says="ordinary text around a special token is lost",
                advice="A text usually holds both.",
            ),
            Mistake(
                "special tokens at the end",
                """
tokens, signals = [], []
pieces = self._special.split(text) if allow_special else [text]
for number, piece in enumerate(pieces):
    if number % 2:
        signals.append(self.special[piece])
    else:
        for word in self.cut_words(piece):
            tokens += self._tokens[word]
tokens += signals
""",
                says="do not stand where they stood",
                advice="Where a document ends is the whole message.",
            ),
            Mistake(
                "the text is not cut into words",
                """
tokens = []
pieces = self._special.split(text) if allow_special else [text]
for number, piece in enumerate(pieces):
    if number % 2:
        tokens.append(self.special[piece])
    else:
        tokens += self._tokens[piece]
""",
                says="cut with `self.cut_words`",
                advice="Merges were learned inside of words only.",
            ),
            Mistake(
                "the bytes, without merges",
                """
tokens = []
pieces = self._special.split(text) if allow_special else [text]
for number, piece in enumerate(pieces):
    if number % 2:
        tokens.append(self.special[piece])
    else:
        tokens += piece.encode()
""",
                says="unmerged",
                advice="`self._tokens[word]` does the merging.",
            ),
            Mistake(
                "only the last word",
                change=("tokens += self._tokens[word]", "tokens = list(self._tokens[word])"),
                says="only the last word came back",
                advice="+= adds, = replaces.",
            ),
            Mistake(
                "special tokens looked up in every piece",
                change=("if number % 2:", "if piece in self.special:"),
                says="a user's whole text",
                advice="What is `pieces` without permission, where a user has written <end> alone?",
            ),
            Mistake(
                "each byte taken for its token",
                change=(
                    "self._tokens[word]",
                    "apply_merges(tuple(word.encode()), self.merges, self._ranks)",
                ),
                says="need not be the byte",
                advice="What is the first token of GPT-2's vocabulary, and which byte is it?",
            ),
            Mistake(
                "a list for an empty text",
                change=("tokens = []\n", "if not text:\n    return []\ntokens = []\n"),
                says="an empty array of integers",
                advice="Which type has the result of every other text?",
            ),
        ],
    ),
    "09.6": Answers(
        right=[
            """
parts = name.split(".")
if parts[0] == "blocks":
    start, layer = f"h.{parts[1]}.", ".".join(parts[2:-1])
else:
    start, layer = "", parts[0]
matrices = ("attn.in_proj", "attn.out_proj", "ffn.up_proj", "ffn.down_proj")
return start + LAYERS[layer] + "." + parts[-1], parts[-1] == "weight" and layer in matrices
""",
            """
*start, kind = name.split(".")
place = f"h.{start[1]}." if start[0] == "blocks" else ""
layer = LAYERS[".".join(start[2:] if place else start)]
conv = layer.split(".")[-1].startswith("c_")
return f"{place}{layer}.{kind}", conv and kind == "weight"
""",
        ],
        wrong=[
            Mistake(
                "every matrix transposed",
                change=('and "c_" in theirs', 'and "ln" not in theirs'),
                says="one row for each token",
                advice="Embeddings are looked up by row, in both libraries.",
            ),
            Mistake(
                "nothing transposed",
                change=('kind == "weight" and "c_" in theirs', "False"),
                says="all four, stand there transposed",
                advice="Conv1D computes x W, Linear x W transposed.",
            ),
            Mistake(
                "only what is not square",
                change=('"c_" in theirs', 'theirs in ("attn.c_attn", "mlp.c_fc", "mlp.c_proj")'),
                says="no shape would tell",
                advice="A square matrix can be transposed, too.",
            ),
            Mistake(
                "biases transposed",
                change=('kind == "weight" and "c_" in theirs', '"c_" in theirs'),
                says="a bias has one axis",
                advice="What is the transpose of a vector?",
            ),
            Mistake(
                "all weights of a block transposed",
                change=('kind == "weight" and "c_" in theirs', 'kind == "weight" and place != ""'),
                says="inside of a block|vector and is not|number stays in the name",
                advice="A block has norms too.",
            ),
            Mistake(
                "numbers of one digit",
                """
place = ""
layer, _, kind = name.rpartition(".")
if layer.startswith("blocks."):
    place, layer = f"h.{layer[7]}.", layer[9:]
theirs = LAYERS[layer.lstrip(".")] if layer.lstrip(".") in LAYERS else layer
return f"{place}{theirs}.{kind}", kind == "weight" and "c_" in theirs
""",
                says="two digits",
                advice="The small GPT-2 has the blocks 0 to 11.",
            ),
        ],
    ),
}
