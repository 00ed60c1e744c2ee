#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares statelib with Hugging Face transformers on fresh random models.

Every run draws new sizes and weights for each architecture and file layout, computes logits, caches and the greedy
continuation with transformers in f32 on the CPU, and lets `statelib model check` compare, in several cuts too. Needs torch,
transformers from 5.23 on (those before averaged Mamba-2's gated norm over the whole width), safetensors, gguf and numpy:

    python3 -m venv peer && peer/bin/pip install torch 'transformers>=5.23' safetensors gguf numpy
    peer/bin/python tests/golden/crosscheck.py build/cpu/statelib [--seed N] [--rounds N] [--keep FOLDER]
"""

import argparse
import importlib.metadata
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import types

import gguf
import numpy as np
import torch
import transformers
from safetensors.torch import save_file

PROMPT_TOKENS = 75
LONG_PROMPT_TOKENS = 160
GREEDY_TOKENS = 24
BLOCK_TYPES = {name: gguf.GGMLQuantizationType[name]
               for name in ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K")}
K_TYPES = ("Q4_K", "Q5_K", "Q6_K")
# Block types multiply 8-bit inputs by blocks, the peer f32 inputs by the decoded weights: logits are judged by this, and
# caches, whose sizes differ by orders from model to model, are shown alone. With --weights f32 both multiply the same
# numbers, and a block type is judged as the plain ones are.
TOLERANCE_OF_BLOCKS = 0.2
NOT_JUDGED = 1e9
AS_F32 = "decoded to f32"
WHOLE_WIDTH = "safetensors, norm of the whole width"
PLAIN_TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def draw_config(architecture, rng, widths_of_blocks=0):
    """A configuration with sizes of its own; GGUF's block types need rows of whole blocks of 32 or 256 values."""
    hidden = rng.choice([40, 48, 72, 104])
    if widths_of_blocks:
        hidden = rng.choice([256, 512] if widths_of_blocks == 256 else [64, 96, 160])
    common = dict(
        vocab_size=rng.randrange(90, 300),
        hidden_size=hidden,
        num_hidden_layers=rng.randrange(1, 5),
        conv_kernel=4 if widths_of_blocks else rng.choice([1, 2, 3, 4]),
        use_bias=False if widths_of_blocks else rng.random() < 0.5,
        use_conv_bias=True if widths_of_blocks else rng.random() < 0.7,
        tie_word_embeddings=rng.random() < 0.5,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )
    if architecture == "mamba2":
        groups = rng.choice([1, 2, 4])
        heads = groups * rng.choice([1, 2, 4])
        while 2 * hidden % heads:
            heads //= 2
            groups = min(groups, heads)
        return transformers.Mamba2Config(
            **common, state_size=rng.choice([16, 24, 64]), num_heads=heads, head_dim=2 * hidden // heads,
            n_groups=groups, chunk_size=rng.choice([8, 16]), expand=2)
    common.update(state_size=rng.choice([8, 16]),
                  time_step_rank=32 if widths_of_blocks else rng.randrange(2, 12), expand=2)
    if architecture == "falcon_mamba":
        return transformers.FalconMambaConfig(**common)
    return transformers.MambaConfig(**common)


def make_model(config, seed):
    """Random weights everywhere, so that a term left out shows."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("A_log"):
                parameter.copy_(torch.log(torch.rand_like(parameter) * 15 + 0.5))
            elif "norm" in name or name.endswith(".D"):
                parameter.copy_(1 + 0.3 * torch.randn_like(parameter))
            else:
                parameter.copy_(torch.randn_like(parameter) * (0.4 / parameter.shape[-1] ** 0.5 if parameter.dim() > 1 else 0.3))
    model.tie_weights()
    return model


def norm_whole_width(model):
    """Gives Mamba-2 the gated norm that transformers had before 5.23: the mean of the whole width."""

    def forward(norm, hidden, gate):
        gated = hidden * torch.nn.functional.silu(gate)
        return norm.weight * gated * torch.rsqrt(gated.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)

    for layer in model.backbone.layers:
        layer.mixer.norm.forward = types.MethodType(forward, layer.mixer.norm)


def first_state(states):
    """A layer's state, [1, ...], of caches that hold it by itself or in a list or dict of several."""
    if isinstance(states, torch.Tensor):
        return states.float().contiguous().clone()
    return first_state(states[0])


def record_golden(model, seed, path):
    """What transformers computes, in the layout of tests/golden/README.md. Returns how far the largest logit lies above the
    second one at every greedy step."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, model.config.vocab_size, (1, PROMPT_TOKENS), generator=generator)
    with torch.no_grad():
        output = model(ids, use_cache=True)
        tensors = {"input_ids": ids[0], "logits": output.logits[0].float().contiguous()}
        for number, layer in enumerate(output.cache_params.layers):
            tensors[f"cache.{number}.conv_states.0"] = first_state(layer.conv_states)
            tensors[f"cache.{number}.recurrent_states.0"] = first_state(layer.recurrent_states)
        greedy, leads = [], []
        for _ in range(GREEDY_TOKENS):
            (first, second), (best, _) = model(ids, use_cache=False).logits[0, -1].topk(2)
            greedy.append(int(best))
            leads.append(float(first - second))
            ids = torch.cat([ids, best.view(1, 1)], dim=1)
    tensors["greedy"] = torch.tensor(greedy)
    save_file(tensors, path)
    return leads


def record_long_golden(model, seed, path):
    """The longer prompt of a golden file, which statelib reads in several cuts."""
    generator = torch.Generator().manual_seed(seed + 1)
    ids = torch.randint(0, model.config.vocab_size, (1, LONG_PROMPT_TOKENS), generator=generator)
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits[0].float()
    following = torch.log_softmax(logits[:-1], -1).gather(1, ids[0, 1:, None])[:, 0]
    save_file({"input_ids": ids[0], "last_logits": logits[-1].contiguous(), "next_token_logprob": following}, path)


def write_hugging_face(model, folder, sharded=False, facts=None):
    model.save_pretrained(folder, max_shard_size="40KB" if sharded else "5GB")
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **(facts or {})}))
    return folder


def write_original(model, folder):
    """The layout of the original state-spaces files."""
    folder.mkdir()
    config = model.config
    state = {name.replace("backbone.embeddings", "backbone.embedding"): value
             for name, value in model.state_dict().items()}
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["backbone.embedding.weight"]
    torch.save(state, folder / "pytorch_model.bin")
    layer = dict(d_state=config.state_size, d_conv=config.conv_kernel, expand=config.expand,
                 bias=config.use_bias, conv_bias=config.use_conv_bias)
    if config.model_type == "mamba2":
        layer.update(layer="Mamba2", headdim=config.head_dim, ngroups=config.n_groups)
    else:
        layer.update(dt_rank=config.time_step_rank)
    (folder / "config.json").write_text(json.dumps(dict(
        d_model=config.hidden_size, n_layer=config.num_hidden_layers, vocab_size=config.vocab_size, ssm_cfg=layer,
        rms_norm=True, residual_in_fp32=True, fused_add_norm=True, pad_vocab_size_multiple=1,
        tie_embeddings=config.tie_word_embeddings)))
    return folder


GGUF_NAMES = {
    "norm.weight": "attn_norm.weight", "mixer.in_proj.weight": "ssm_in.weight",
    "mixer.conv1d.weight": "ssm_conv1d.weight", "mixer.conv1d.bias": "ssm_conv1d.bias",
    "mixer.x_proj.weight": "ssm_x.weight", "mixer.dt_proj.weight": "ssm_dt.weight",
    "mixer.dt_proj.bias": "ssm_dt.bias", "mixer.dt_bias": "ssm_dt.bias", "mixer.A_log": "ssm_a", "mixer.D": "ssm_d",
    "mixer.norm.weight": "ssm_norm.weight", "mixer.out_proj.weight": "ssm_out.weight",
    "backbone.embeddings.weight": "token_embd.weight", "backbone.norm_f.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}


def gguf_name(name):
    if not name.startswith("backbone.layers."):
        return GGUF_NAMES[name]
    number, rest = name.removeprefix("backbone.layers.").split(".", 1)
    return f"blk.{number}.{GGUF_NAMES[rest]}"


def is_matrix(name, value):
    return value.dim() == 2 and not name.endswith(("A_log", "conv1d.weight"))


BLOCK_VALUES = {name: gguf.GGML_QUANT_SIZES[kind][0] for name, kind in BLOCK_TYPES.items()}
# Where the halves d and dmin lie in a block, and what multiple of a scale makes weights around zero of random bits.
HALVES = {"Q4_K": {0: 1, 2: 7.5}, "Q5_K": {0: 1, 2: 15.5}, "Q6_K": {208: 1}}


def random_blocks(parameter, kind):
    """The gguf package cannot quantise K types, but can decode them: random bits with a scale that fits the tensor."""
    _, size = gguf.GGML_QUANT_SIZES[BLOCK_TYPES[kind]]
    rows, cols = parameter.shape
    count = rows * cols // BLOCK_VALUES[kind]
    generator = np.random.default_rng(int(torch.randint(1 << 30, (1,))))
    blocks = generator.integers(0, 256, (count, size), dtype=np.uint8)
    for scale in (1.0, None):  # decoded once with a scale of one, then with the one that fits
        if scale is None:
            decoded = gguf.quants.dequantize(blocks.reshape(rows, -1), BLOCK_TYPES[kind])
            scale = 0.4 / cols ** 0.5 / decoded.std()
        for at, multiple in HALVES[kind].items():
            blocks[:, at:at + 2] = np.frombuffer(np.float16(scale * multiple).tobytes(), np.uint8)
    return blocks.reshape(rows, -1)


def round_matrices(model, kind):
    """The model as its GGUF file holds it: matrices rounded to the type."""
    stored = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not is_matrix(name, parameter):
                continue
            if kind in PLAIN_TYPES:
                parameter.copy_(parameter.to(PLAIN_TYPES[kind]).float())
            else:
                if parameter.shape[-1] % BLOCK_VALUES[kind]:
                    continue  # stays f32
                stored[name] = (random_blocks(parameter, kind) if kind in K_TYPES
                                else gguf.quants.quantize(parameter.numpy(), BLOCK_TYPES[kind]))
                parameter.copy_(torch.from_numpy(gguf.quants.dequantize(stored[name], BLOCK_TYPES[kind])))
    return stored


def write_gguf(model, path, kind, stored):
    config = model.config
    architecture = "mamba2" if config.model_type == "mamba2" else "mamba"
    writer = gguf.GGUFWriter(path, architecture)
    inner = config.expand * config.hidden_size
    writer.add_context_length(1 << 20)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_ssm_conv_kernel(config.conv_kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(config.state_size)
    writer.add_layer_norm_rms_eps(config.layer_norm_epsilon)
    if architecture == "mamba2":
        writer.add_ssm_time_step_rank(config.num_heads)
        writer.add_ssm_group_count(config.n_groups)
    else:
        writer.add_ssm_time_step_rank(config.time_step_rank)
        writer.add_ssm_dt_b_c_rms(config.model_type == "falcon_mamba")
    for name, value in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        if name in stored:
            writer.add_tensor(gguf_name(name), stored[name], raw_dtype=BLOCK_TYPES[kind])
            continue
        array = value.float()
        if name.endswith("A_log"):
            array = -torch.exp(array)
        if architecture == "mamba2" and name.endswith(("A_log", ".D")):
            array = array.reshape(-1, 1)
        if name.endswith("mixer.norm.weight"):
            array = array.reshape(config.n_groups, -1)
        if name.endswith("conv1d.weight"):
            array = array.squeeze(1)
        if not is_matrix(name, value) or kind not in ("F16", "BF16"):
            writer.add_tensor(gguf_name(name), array.numpy())
        elif kind == "F16":
            writer.add_tensor(gguf_name(name), array.half().numpy())
        else:
            bits = array.bfloat16().view(torch.int16).numpy().view(np.uint8)
            writer.add_tensor(gguf_name(name), bits, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def check(statelib, name, model_path, golden, leads, tolerance=None, weights="auto"):
    """Runs statelib; returns the row of the table and whether it passed."""
    command = [statelib, "model", "check", model_path, "--golden", golden, "--weights", weights, "--json"]
    if tolerance:
        command += ["--tolerance", str(tolerance), "--cache-tolerance", str(NOT_JUDGED)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout.splitlines()[0])
    except (IndexError, ValueError):
        return f"| {name} | {done.stderr.strip() or done.stdout.strip()} | | |", False
    if "errors" not in report:
        return f"| {name} | {report} | | |", False
    worst = lambda caches: max((error["largest"] for error in report["errors"]
                                if error["what"].startswith("layer") == caches), default=0)
    matched = report["greedy_tokens_matched"]
    greedy = f"{matched} of {len(leads)}"
    # Another token is right only where errors within the tolerance can turn the order of the two largest logits.
    in_cuts = report["in_cuts"] or {"errors": [], "cuts_that_differ": 0}
    passed = all(error["passed"] for error in report["errors"] + in_cuts["errors"])
    passed = passed and report["errors"] and not report["not_finite"] and in_cuts["cuts_that_differ"] == 0
    if matched < len(leads):
        greedy += f", then a lead of {leads[matched]:.1e}"
        passed = passed and leads[matched] <= 2 * (tolerance or 0)
    return f"| {name} | {worst(False):.1e} | {worst(True):.1e} | {greedy} |", passed


def cases(rng):
    for architecture in ("mamba", "mamba2", "falcon_mamba"):
        yield architecture, "safetensors", None
        yield architecture, "sharded safetensors", None
        for kind in (*PLAIN_TYPES, *BLOCK_TYPES):
            yield architecture, "gguf", kind
    for architecture in ("mamba", "mamba2"):
        yield architecture, "original", None
    yield "mamba2", WHOLE_WIDTH, None


def run_case(statelib, architecture, layout, kind, rng, folder):
    """The rows of one model, each with whether it passed."""
    config = draw_config(architecture, rng, BLOCK_VALUES.get(kind, 32) if layout == "gguf" else 0)
    seed = rng.randrange(1 << 30)
    model = make_model(config, seed)
    if layout == WHOLE_WIDTH:
        norm_whole_width(model)
    stored = round_matrices(model, kind) if layout == "gguf" else {}
    golden = folder.with_suffix(".golden.safetensors")
    leads = record_golden(model, seed, golden)
    if kind not in BLOCK_TYPES:
        record_long_golden(model, seed, folder.with_suffix(".golden_long.safetensors"))
    if layout == "original":
        path = write_original(model, folder)
    elif layout == "gguf":
        path = write_gguf(model, folder.with_suffix(".gguf"), kind, stored)
    else:
        path = write_hugging_face(model, folder, layout.startswith("sharded"),
                                  {"mixer_norm_groups": 1} if layout == WHOLE_WIDTH else {})
    name = " ".join(filter(None, (architecture, layout, kind)))
    if kind not in BLOCK_TYPES:
        return [check(statelib, name, path, golden, leads)]
    return [check(statelib, name, path, golden, leads, tolerance=TOLERANCE_OF_BLOCKS),
            check(statelib, f"{name} {AS_F32}", path, golden, leads, weights="f32")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("statelib", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, help="write the models here and keep them")
    arguments = parser.parse_args()
    if tuple(map(int, transformers.__version__.split(".")[:2])) < (5, 23):
        parser.error(f"needs transformers from 5.23 on, found {transformers.__version__}")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 30)
    rng = random.Random(seed)
    print(f"seed {seed}; transformers {transformers.__version__}, torch {torch.__version__}, "
          f"gguf {importlib.metadata.version('gguf')}\n")
    print("| model | largest error of logits | of caches | greedy tokens |\n| --- | --- | --- | --- |")
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.keep or pathlib.Path(temporary)
        root.mkdir(parents=True, exist_ok=True)
        for round_number in range(arguments.rounds):
            for number, (architecture, layout, kind) in enumerate(cases(rng)):
                folder = root / f"{round_number}-{number}"
                for row, passed in run_case(arguments.statelib, architecture, layout, kind, rng, folder):
                    failures += not passed
                    print(row + ("" if passed else " FAILED"), flush=True)
    print(f"\n{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
