"""A unigram model as T5's (nmt_nfkc, pad 0, EOS 1, unknown 2), trained on generated text, and what
PyPI's sentencepiece and transformers' T5Tokenizer make of random strings. FOLDER SEED COUNT"""
import collections
import pathlib
import random
import sys

import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import T5Tokenizer

folder, seed, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
SCRIPTS = {
    "latin": "abcdefghijklmnopqrstuvwxyz", "accents": "áàâäãåæçéèêëíìïñóôöõøœßúùûüýÿăąćčďđęěğı",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω", "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת", "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "devanagari": "अआइईउऊएऐओऔकखगघचछजझटठडढतथदधनपफबभमयरलवशषसहािीुूेैोौ्",
    "kana": "あいうえおかきくけこさしすせそたちつてとアイウエオカキクケコ", "han": "一二三四五六七八九十人山水火木金土日月",
    "hangul": "가나다라마바사아자차카타파하한국어말"}


def word(script):
    return "".join(rng.choice(SCRIPTS[script]) for _ in range(rng.randint(1, 8)))


lexicon = [(s, word(s)) for s in SCRIPTS for _ in range(120)] + [("latin", word("latin")) for _ in range(600)]
words = [w for _, w in lexicon]


def sentence(most):
    out = []
    for _ in range(rng.randint(1, most)):
        w = rng.choice(words)
        out.append(rng.choice([w, w, w, w.capitalize(), w.upper(), w + rng.choice(".,!?;:"),
                               str(rng.randint(0, 9999)), "(" + w + ")", w + "-" + rng.choice(words)]))
    return " ".join(out)



def train(name, **options):
    sentencepiece.SentencePieceTrainer.train(**{
        "sentence_iterator": iter([sentence(15) for _ in range(6000)]),
        "model_prefix": str(folder / name), "model_type": "unigram", "vocab_size": 1000,
        "hard_vocab_limit": False, "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1,
        "byte_fallback": False, "normalization_rule_name": "nmt_nfkc", "num_threads": 1,
        "minloglevel": 2, **options})


train("spiece")
train("sentinels", user_defined_symbols=["<extra_id_0>"])
train("endless", eos_id=-1)
train("identity", normalization_rule_name="identity")
ours = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))

ODD_SPACE = " \t\n\r\u00a0\u2003\u200b\u3000\u2028\ufeff"
WIDE = "ＡＢＣ１２３ﬁﬂ①②½㎏Åｶﾞ™…"
CONTROL = ["</s>", "<pad>", "<unk>", "<extra_id_0>", "<extra_id_99>", "<s>"]


def code_point():
    while True:
        point = rng.choice([rng.randint(0, 0x2FFF), rng.randint(0, 0xFFFF), rng.randint(0, 0x10FFFF)])
        if not 0xD800 <= point <= 0xDFFF:
            return chr(point)


def text(kind):
    if kind == "ordinary":
        return sentence(20)
    if kind == "white space":
        return "".join(w + "".join(rng.choice(ODD_SPACE) for _ in range(rng.randint(0, 3)))
                       for w in [rng.choice(["", " "])] + sentence(8).split())
    if kind == "compatibility":
        return "".join(rng.choice([rng.choice(WIDE), rng.choice(words), " "]) for _ in range(12))
    if kind == "control token":
        parts = sentence(6).split()
        parts.insert(rng.randint(0, len(parts)), rng.choice(["", "a"]) + rng.choice(CONTROL))
        return rng.choice([" ", ""]).join(parts)
    if kind == "meta symbol":
        return sentence(3) + rng.choice(["▁", " ▁", "▁▁ "]) + sentence(3)
    if kind == "any code points":
        return "".join(code_point() for _ in range(rng.randint(0, 40)))
    if kind == "NUL and controls":
        return "".join(rng.choice([rng.choice(words), chr(rng.randint(0, 31)), "\0", "\x7f"])
                       for _ in range(rng.randint(1, 10)))
    raise ValueError(kind)


KINDS = ["ordinary"] * 4 + ["white space", "compatibility", "control token", "meta symbol",
                            "any code points", "NUL and controls"]


def field(message, wanted):
    """A length-delimited field of a protobuf message; transformers' own reader wants the protobuf
    package."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        tag = varint()
        kind = tag & 7
        size = varint() if kind in (0, 2) else {1: 8, 5: 4}[kind]
        if kind == 2 and tag >> 3 == wanted:
            return message[place:place + size]
        place += 0 if kind == 0 else size
    raise KeyError(wanted)


charsmap = field(field((folder / "spiece.model").read_bytes(), 3), 2)
size = ours.get_piece_size()
vocab = [(ours.id_to_piece(i), ours.get_score(i)) for i in range(size)]
vocab += [(f"<extra_id_{i}>", 0.0) for i in reversed(range(100))]
theirs = T5Tokenizer(vocab=vocab, _spm_precompiled_charsmap=charsmap)


def why(line, one, other):
    """The class of a difference."""
    if any(token in line for token in CONTROL):
        return "it takes control tokens that are written out for control tokens"
    # It normalises by grapheme, and what is longer than 5 bytes by character.
    normal = " ".join(theirs.backend_tokenizer.normalizer.normalize_str(line).split())
    surface = "".join(ours.encode(line, out_type=str))
    if "▁" + normal.replace(" ", "▁") != surface:
        return "it normalises long graphemes by character, or splits at other white space"
    if abs(sum(map(ours.get_score, one)) - sum(map(ours.get_score, other))) < 1e-3:
        return "it takes the other of two ways of equal score"
    return "unexplained"


data, ends, ids, id_ends = bytearray(), [], [], []
same = {kind: collections.Counter() for kind in KINDS}
examples = {}
for i in range(count):
    if i % 10 == 9:  # bytes that are no UTF-8: transformers takes none
        raw = bytes(rng.choice([rng.randint(0, 255), rng.randint(97, 122), 32])
                    for _ in range(rng.randint(0, 60)))
    else:
        kind = rng.choice(KINDS)
        line = text(kind)
        raw = line.encode()
    encoded = ours.encode(raw)
    if i % 10 != 9:
        other = theirs(line, add_special_tokens=False)["input_ids"]
        found = "equal" if other == encoded else why(line, encoded, other)
        same[kind][found] += 1
        examples.setdefault(found, line)
    data += raw
    ends.append(len(data))
    ids += encoded
    id_ends.append(len(ids))
with open(folder / "agreement.txt", "w") as file:
    for kind, counts in same.items():
        file.write(f"{kind}: " + ", ".join(f"{n} {found}" for found, n in counts.most_common()) + "\n")
    for found, line in examples.items():
        if found != "equal":
            file.write(f"{found}: {line!r}\n")
total = sum(same.values(), collections.Counter())
save_file({"text": torch.frombuffer(data, dtype=torch.uint8), "text_ends": torch.tensor(ends),
           "ids": torch.tensor(ids), "id_ends": torch.tensor(id_ends),
           "unexplained": torch.tensor([total["unexplained"]]),
           "ordinary_equal": torch.tensor([same["ordinary"]["equal"]]),
           "vocab": torch.tensor([ours.get_piece_size()])}, folder / "out.safetensors")
