/**
 * The smallest language model that llama.cpp computes: one layer, 259 tokens (bytes, and three that mark), weights by chance. It
 * says nothing that makes sense, but it loads, reads and writes for real, in a moment. GGUF version 3, by its specification
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
 */

const width = 64;
const heads = 2;
const inner = 128;
const tokens = [
  "<unk>",
  "<s>",
  "</s>",
  ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
];
/** llama.cpp's kinds of tokens. */
const kinds = { unknown: 2, control: 3, byte: 6 } as const;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const f32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** Type numbers of GGUF. */
const type = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 } as const;
const pair = (key: string, of: number, value: Buffer): Buffer => Buffer.concat([text(key), u32(of), value]);
const list = (key: string, of: number, values: readonly Buffer[]): Buffer =>
  pair(key, type.array, Buffer.concat([u32(of), u64(values.length), ...values]));

function metadata(name: string): Buffer[] {
  const count = (key: string, value: number): Buffer => pair(key, type.u32, u32(value));
  const kindOf = (token: string): number => (token === "<unk>" ? kinds.unknown : token.startsWith("<0x") ? kinds.byte : kinds.control);
  return [
    pair("general.architecture", type.string, text("llama")),
    pair("general.name", type.string, text(name)),
    count("llama.block_count", 1),
    count("llama.context_length", 2048),
    count("llama.embedding_length", width),
    count("llama.feed_forward_length", inner),
    count("llama.attention.head_count", heads),
    count("llama.attention.head_count_kv", heads),
    pair("llama.attention.layer_norm_rms_epsilon", type.f32, f32(1e-5)),
    count("llama.rope.dimension_count", width / heads),
    pair("tokenizer.ggml.model", type.string, text("llama")),
    list("tokenizer.ggml.tokens", type.string, tokens.map(text)),
    list(
      "tokenizer.ggml.scores",
      type.f32,
      tokens.map(() => f32(0)),
    ),
    list(
      "tokenizer.ggml.token_type",
      type.i32,
      tokens.map((token) => u32(kindOf(token))),
    ),
    count("tokenizer.ggml.unknown_token_id", 0),
    count("tokenizer.ggml.bos_token_id", 1),
    count("tokenizer.ggml.eos_token_id", 2),
  ];
}

/** Each with its extent, the innermost first. */
const tensors: readonly (readonly [name: string, ...extent: number[]])[] = [
  ["token_embd.weight", width, tokens.length],
  ["output_norm.weight", width],
  ["output.weight", width, tokens.length],
  ["blk.0.attn_norm.weight", width],
  ["blk.0.attn_q.weight", width, width],
  ["blk.0.attn_k.weight", width, width],
  ["blk.0.attn_v.weight", width, width],
  ["blk.0.attn_output.weight", width, width],
  ["blk.0.ffn_norm.weight", width],
  ["blk.0.ffn_gate.weight", width, inner],
  ["blk.0.ffn_up.weight", width, inner],
  ["blk.0.ffn_down.weight", inner, width],
];
const alignment = 32;

/** @param seed another one is another model */
export function tinyModel(name: string, seed = 1): Buffer {
  let state = seed;
  const chance = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' generator: enough for weights
    return (state / 2 ** 32 - 0.5) / 4;
  };
  const pairs = metadata(name);
  const heads_of: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const [tensor, ...extent] of tensors) {
    const values = Float32Array.from({ length: extent.reduce((all, one) => all * one, 1) }, () => (extent.length === 1 ? 1 : chance()));
    const bytes = Buffer.from(values.buffer);
    const padded = Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);
    heads_of.push(Buffer.concat([text(tensor), u32(extent.length), ...extent.map(u64), u32(0), u64(offset)]));
    data.push(padded);
    offset += padded.length;
  }
  const head = Buffer.concat([Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(pairs.length), ...pairs, ...heads_of]);
  return Buffer.concat([head, Buffer.alloc((alignment - (head.length % alignment)) % alignment), ...data]);
}
