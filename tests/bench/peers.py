# SPDX-License-Identifier: Apache-2.0
"""statelib beside llama.cpp, on one random-weight GGUF file of a published Mamba shape after the other.

Called by peers.sh. Each pair of runs is one of each program, in turn; ratios are taken pair by pair, and medians
printed. The limits are what `statelib bench` measures in the same minutes.
"""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time

import gguf
import llama_cpp as llama
import numpy as np

SHAPES = {  # hidden, layers
    "130m": (768, 24),
    "370m": (1024, 48),
    "790m": (1536, 48),
    "1.4b": (2048, 48),
    "2.8b": (2560, 64),
}
VOCABULARY, STATES, KERNEL = 50280, 16, 4
TYPES = ["F32", "BF16", "Q8_0", "Q4_K"]
PREFILL, DECODE = 512, 64


def tensors(size, random):
    hidden, layers = SHAPES[size]
    inner, rank = 2 * hidden, (hidden + 15) // 16

    def normal(*shape, scale=None):
        values = random.standard_normal(shape, dtype=np.float32)
        return values * np.float32(scale if scale is not None else shape[-1] ** -0.5)

    yield "token_embd.weight", normal(VOCABULARY, hidden, scale=0.05)
    yield "output_norm.weight", np.ones(hidden, np.float32)
    for i in range(layers):
        block = f"blk.{i}."
        yield block + "attn_norm.weight", np.ones(hidden, np.float32)
        yield block + "ssm_in.weight", normal(2 * inner, hidden)
        yield block + "ssm_conv1d.weight", normal(inner, KERNEL)
        yield block + "ssm_conv1d.bias", np.zeros(inner, np.float32)
        yield block + "ssm_x.weight", normal(rank + 2 * STATES, inner)
        yield block + "ssm_dt.weight", normal(inner, rank)
        yield block + "ssm_dt.bias", np.full(inner, -4.0, np.float32)
        yield block + "ssm_a", np.tile(-np.arange(1, STATES + 1, dtype=np.float32), (inner, 1))
        yield block + "ssm_d", np.ones(inner, np.float32)
        yield block + "ssm_out.weight", normal(hidden, inner, scale=0.3 * inner**-0.5)


def is_matrix(name):
    return name.startswith("token_embd") or any(part in name for part in ("ssm_in", "ssm_x", "ssm_dt.weight", "ssm_out"))


def write_file(path, size, kind):
    hidden, layers = SHAPES[size]
    writer = gguf.GGUFWriter(path, "mamba", use_temp_file=False)
    writer.add_context_length(2**20)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(layers)
    writer.add_ssm_conv_kernel(KERNEL)
    writer.add_ssm_inner_size(2 * hidden)
    writer.add_ssm_state_size(STATES)
    writer.add_ssm_time_step_rank((hidden + 15) // 16)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("none")
    wanted = gguf.GGMLQuantizationType[kind]
    for name, values in tensors(size, np.random.default_rng(1)):
        of = wanted if is_matrix(name) else gguf.GGMLQuantizationType.F32
        block = gguf.GGML_QUANT_SIZES[of][0]
        if values.shape[-1] % block:
            of = gguf.GGMLQuantizationType.F16
        writer.add_tensor(name, gguf.quants.quantize(values, of), raw_dtype=of)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def model_file(folder, size, kind):
    path = os.path.join(folder, f"mamba-{size}-{kind}.gguf")
    if os.path.exists(path):
        return path
    if kind != "Q4_K":
        write_file(path + ".part", size, kind)
    else:
        params = llama.llama_model_quantize_default_params()
        params.ftype = llama.LLAMA_FTYPE_MOSTLY_Q4_K_S
        params.pure = True
        source = model_file(folder, size, "F32")
        if llama.llama_model_quantize(source.encode(), (path + ".part").encode(), ctypes.byref(params)):
            sys.exit(f"llama.cpp could not quantise {source}")
    os.rename(path + ".part", path)
    return path


class Peer:
    """llama.cpp, with one model in memory."""

    def __init__(self, path, threads):
        params = llama.llama_model_default_params()
        params.n_gpu_layers = 0
        self.threads = threads
        self.model = llama.llama_model_load_from_file(path.encode(), params)
        if not self.model:
            sys.exit(f"llama.cpp could not load {path}")
        self.context = self.new_context()

    def new_context(self):
        params = llama.llama_context_default_params()
        params.n_ctx = 1024
        params.n_batch = params.n_ubatch = PREFILL
        params.n_threads = params.n_threads_batch = self.threads
        return llama.llama_init_from_model(self.model, params)

    def decode(self, tokens):
        array = (llama.llama_token * len(tokens))(*tokens)
        if llama.llama_decode(self.context, llama.llama_batch_get_one(array, len(tokens))):
            sys.exit("llama.cpp failed to decode")
        llama.llama_synchronize(self.context)
        return llama.llama_get_logits_ith(self.context, -1)[0]

    def measure(self):
        """(prefill, decode) in tokens a second."""
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)
        self.decode([7] * 16)
        begin = time.perf_counter()
        self.decode([(37 * i) % VOCABULARY for i in range(PREFILL)])
        middle = time.perf_counter()
        for i in range(DECODE):
            self.decode([(41 * i) % VOCABULARY])
        return PREFILL / (middle - begin), DECODE / (time.perf_counter() - middle)

    def restore_ms(self, path):
        """From a saved state in a file to the logits that follow one more token, as it keeps none."""
        llama.llama_state_save_file(self.context, path.encode(), (llama.llama_token * 1)(7), 1)
        times = []
        for _ in range(5):
            llama.llama_free(self.context)
            self.context = self.new_context()
            tokens, count = (llama.llama_token * 8)(), ctypes.c_size_t()
            begin = time.perf_counter()
            llama.llama_state_load_file(self.context, path.encode(), tokens, 8, ctypes.byref(count))
            self.decode([7])
            times.append(time.perf_counter() - begin)
        return 1000 * statistics.median(times)

    def close(self):
        llama.llama_free(self.context)
        llama.llama_model_free(self.model)


# llama.cpp rounds the inputs of BF16 weights to bf16, as the format of this name does.
WEIGHTS = {"F32": "f32", "BF16": "bf16", "Q8_0": "auto", "Q4_K": "auto"}


def bench(statelib, path, threads, kind):
    command = [statelib, "bench", "--model", path, "--threads", str(threads), "--weights", WEIGHTS[kind], "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(arguments, size, kind):
    path = model_file(arguments.folder, size, kind)
    peer = Peer(path, arguments.threads)
    rows = []
    for _ in range(arguments.pairs):
        theirs, ours = peer.measure(), bench(arguments.statelib, path, arguments.threads, kind)
        decode = {one["sequences"]: one for one in ours["decode"]}
        rows.append((theirs, ours, decode))
    restore = peer.restore_ms(os.path.join(arguments.folder, "state.bin"))
    peer.close()

    def median(of):
        return statistics.median(of(*row) for row in rows)

    print(
        f"| {size} {kind} "
        f"| {median(lambda t, o, d: o['prefill']['tokens_per_second']):.0f} | {median(lambda t, o, d: t[0]):.0f} "
        f"| {median(lambda t, o, d: o['prefill']['tokens_per_second'] / t[0]):.2f} "
        f"| {100 * median(lambda t, o, d: o['prefill']['tokens_per_second'] / o['prefill']['limit']):.0f} % "
        f"| {median(lambda t, o, d: d[1]['tokens_per_second']):.1f} | {median(lambda t, o, d: t[1]):.1f} "
        f"| {median(lambda t, o, d: d[1]['tokens_per_second'] / t[1]):.2f} "
        f"| {100 * median(lambda t, o, d: d[1]['tokens_per_second'] / d[1]['limit']):.0f} % "
        f"| {median(lambda t, o, d: d[16]['tokens_per_second'] / d[1]['tokens_per_second']):.1f} "
        f"| {median(lambda t, o, d: o['state']['first_token_ms']):.1f} | {restore:.1f} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statelib", required=True)
    parser.add_argument("--folder", required=True, help="where model files are kept")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--types", nargs="+", default=TYPES)
    parser.add_argument("sizes", nargs="*", default=["130m"])
    arguments = parser.parse_args()
    silence = llama.llama_log_callback(lambda level, text, data: None)  # must outlive the library's calls
    llama.llama_log_set(silence, None)
    llama.llama_backend_init()
    print("tokens/s of statelib and of llama.cpp, their ratio, and statelib's part of the measured limit;")
    print("x16: tokens/s of 16 sequences at once over those of one; ms from a stored state to the next logits")
    print("| | prefill | llama.cpp | ratio | of limit | decode | llama.cpp | ratio | of limit | x16 | restore | llama.cpp |")
    print("|" + " --- |" * 12)
    for size in arguments.sizes:
        for kind in arguments.types:
            compare(arguments, size, kind)


main()
