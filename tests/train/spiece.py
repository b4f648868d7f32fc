"""A unigram model as T5's (nmt_nfkc, pad 0, EOS 1, unknown 2), trained on words of pictures. FILE"""
import itertools
import sys

import sentencepiece

colours = ["red", "blue", "green", "grey", "yellow"]
places = ["left", "right", "top", "low", "all", "none"]
texts = [f"{a} square {b} of a {c} circle" for a, b, c in itertools.product(colours, places, colours)]
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(texts), model_prefix=sys.argv[1].removesuffix(".model"), vocab_size=60,
    model_type="unigram", normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2,
    bos_id=-1, hard_vocab_limit=False, minloglevel=2)
