#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a random Mamba checkpoint of the published 2.8b sizes: sharded safetensors, bf16, 5.5 GB. Needs numpy.

    python3 tests/bench/large_checkpoint.py FOLDER [--layers 64] [--hidden 2560]

Each shard is written tensor by tensor, so that it needs little memory. Then, with the peak of memory at the end:

    /usr/bin/time -v build/cpu/statelib generate --no-state "Hello" --model FOLDER --max-tokens 8
"""

import argparse
import json
import pathlib
import struct

import numpy as np

VOCABULARY, STATES, KERNEL, LAYERS_PER_SHARD = 50280, 16, 4, 8
PIECE = 1 << 22  # values that are drawn at once


def tensors_of_layer(layer, hidden):
    inner, rank = 2 * hidden, -(-hidden // 16)
    block = f"backbone.layers.{layer}."
    mixer = block + "mixer."
    return {
        block + "norm.weight": ("ones", [hidden]), mixer + "A_log": ("decays", [inner, STATES]),
        mixer + "D": ("ones", [inner]), mixer + "conv1d.bias": ("weights", [inner]),
        mixer + "conv1d.weight": ("weights", [inner, 1, KERNEL]), mixer + "dt_proj.bias": ("weights", [inner]),
        mixer + "dt_proj.weight": ("weights", [inner, rank]), mixer + "in_proj.weight": ("weights", [2 * inner, hidden]),
        mixer + "out_proj.weight": ("weights", [hidden, inner]),
        mixer + "x_proj.weight": ("weights", [rank + 2 * STATES, inner]),
    }


def draw(kind, count, first, rng):
    if kind == "ones":
        return np.ones(count, np.float32)
    if kind == "decays":  # log(1), log(2), ... log(16) for every channel, as published models begin
        return np.log(1 + (np.arange(first, first + count) % STATES)).astype(np.float32)
    return rng.standard_normal(count, np.float32) * np.float32(0.02)


def write_shard(path, tensors, rng):
    header, offset = {}, 0
    for name, (_, shape) in tensors.items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for kind, shape in tensors.values():
            count = int(np.prod(shape))
            for first in range(0, count, PIECE):
                values = draw(kind, min(PIECE, count - first), first, rng)
                file.write((values.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    return offset


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--layers", type=int, default=64)
    parser.add_argument("--hidden", type=int, default=2560)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    shards = [{"backbone.embeddings.weight": ("weights", [VOCABULARY, arguments.hidden]),
               "backbone.norm_f.weight": ("ones", [arguments.hidden])}]
    for first in range(0, arguments.layers, LAYERS_PER_SHARD):
        shards.append({})
        for layer in range(first, min(first + LAYERS_PER_SHARD, arguments.layers)):
            shards[-1].update(tensors_of_layer(layer, arguments.hidden))
    rng = np.random.default_rng(0)
    places, total = {}, 0
    for number, tensors in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        total += write_shard(arguments.folder / name, tensors, rng)
        places.update(dict.fromkeys(tensors, name))
        print(f"{name}: {total / 1e9:.2f} GB so far", flush=True)
    (arguments.folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": places}))
    (arguments.folder / "config.json").write_text(json.dumps(dict(
        model_type="mamba", vocab_size=VOCABULARY, hidden_size=arguments.hidden, num_hidden_layers=arguments.layers,
        state_size=STATES, conv_kernel=KERNEL, expand=2, time_step_rank="auto", use_bias=False, use_conv_bias=True,
        tie_word_embeddings=True, hidden_act="silu", eos_token_id=0)))


if __name__ == "__main__":
    main()
