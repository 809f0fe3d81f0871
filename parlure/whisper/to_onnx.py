"""A model → two ONNX graphs, with the settings and the vocabulary that whoever runs them needs beside them.

``encoder.onnx``: ``input_features (n, n_mels, 2 * n_positions)`` → ``cross_key_0 (n, n_heads, d_head, n_positions)``,
``cross_value_0 (n, n_heads, n_positions, d_head)``, ``cross_key_1``, …: what each decoder layer attends to.

``decoder.onnx``: ``ids (n, n_ids)``, ``past_key_0 (n, n_heads, n_past, d_head)``, ``past_value_0``, …, and the
encoder's outputs under their names → ``logits (n, n_ids, n_vocabulary)``, ``key_0``, ``value_0``, …: the next step's
past. At first ``n_past`` is 0. Batch, windows, ids and past are of any length.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from transformers import WhisperFeatureExtractor

from parlure.errors import missing_extra
from parlure.speech.features import mel_filters
from parlure.whisper.graphs import DecoderGraph, EncoderGraph
from parlure.whisper.load import DECODER, ENCODER, LoadedModel

OnnxNumbers = Literal["float32", "int8"]
ONNX_NUMBERS: tuple[OnnxNumbers, ...] = get_args(OnnxNumbers)
MEL_FILTERS = "mel_filters.npy"
_OPSET = 18  # the exporter's own; a later one gains nothing here
_MAX_BYTES_INSIDE = 1_900_000_000  # protobuf holds 2 GB; weights beyond lie beside the graph, in NAME.onnx.data


def write_onnx(loaded: LoadedModel, out: Path, numbers: OnnxNumbers = "float32") -> None:
    """Write a model as an ONNX folder.

    Args:
        loaded: on the CPU, in float32.
        out: a folder that is not there yet; it is whole as soon as it is there.
        numbers: float32, or int8: the weights of matrices, a scale for each column, and the tokens' embeddings; what
            they are multiplied by is rounded when it is there (onnxruntime's dynamic quantisation).

    Raises:
        ParlureError: onnx, onnxscript or onnxruntime is not installed.
    """
    _require_packages()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".exporting-") as place:
        whole = Path(place) / "model"
        whole.mkdir()
        _write_encoder(loaded.model, whole / ENCODER)
        _write_decoder(loaded.model, whole / DECODER)
        if numbers == "int8":
            for name in (ENCODER, DECODER):
                round_weights(whole / name)
        mels = loaded.model.config.num_mel_bins
        loaded.model.config.save_pretrained(str(whole))
        loaded.model.generation_config.save_pretrained(str(whole))
        loaded.tokenizer.save_pretrained(str(whole))
        WhisperFeatureExtractor(feature_size=mels).save_pretrained(str(whole))
        np.save(whole / MEL_FILTERS, mel_filters(mels).numpy())
        whole.rename(out)


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401  the exporter is made of it
    except ImportError as error:
        raise missing_extra(str(error.name), "onnx", "the export to ONNX") from error


def layer_names(prefix: str, n_layers: int) -> list[str]:
    """``past_`` → ``past_key_0``, ``past_value_0``, ``past_key_1``, …: of each layer in turn."""
    return [f"{prefix}{kind}_{layer}" for layer in range(n_layers) for kind in ("key", "value")]


def _write_encoder(model: Any, path: Path) -> None:
    n_mels, n_layers = model.config.num_mel_bins, model.config.decoder_layers
    n, n_positions = _dimensions(n=None, n_positions=model.config.max_source_positions)
    _write(
        EncoderGraph(model),
        (torch.zeros(2, n_mels, 200),),
        path,
        ["input_features"],
        layer_names("cross_", n_layers),
        ({0: n, 2: 2 * n_positions},),
    )


def _write_decoder(model: Any, path: Path) -> None:
    config = model.config
    n_layers, n_heads = config.decoder_layers, config.decoder_attention_heads
    d_head, limit = config.d_model // n_heads, config.max_target_positions
    n, n_ids, n_past, n_positions = _dimensions(
        n=None, n_ids=limit, n_past=limit, n_positions=config.max_source_positions
    )
    # an exporter takes a length of 0 or 1 for a constant: the example has more of everything
    past = [torch.zeros(2, n_heads, 3, d_head) for _ in range(2 * n_layers)]
    cross = [torch.zeros(2, n_heads, *shape) for shape in [(d_head, 100), (100, d_head)] * n_layers]
    _write(
        DecoderGraph(model),
        (torch.zeros(2, 4, dtype=torch.long), past, cross),
        path,
        ["ids", *layer_names("past_", n_layers), *layer_names("cross_", n_layers)],
        ["logits", *layer_names("", n_layers)],
        (
            {0: n, 1: n_ids},
            [{0: n, 2: n_past}] * len(past),
            [{0: n, 3: n_positions}, {0: n, 2: n_positions}] * n_layers,
        ),
    )


def _dimensions(**largest: int | None) -> list[Any]:
    return [torch.export.Dim(name, max=limit) for name, limit in largest.items()]


def _write(
    graph: torch.nn.Module, example: tuple[Any, ...], path: Path, inputs: list[str], outputs: list[str], shapes: Any
) -> None:
    n_bytes = sum(weight.numel() * weight.element_size() for weight in graph.parameters())
    with _exporter_silent(), torch.no_grad():
        torch.onnx.export(
            graph.eval(),
            example,
            str(path),
            dynamo=True,
            opset_version=_OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            external_data=n_bytes > _MAX_BYTES_INSIDE,
            verbose=False,
        )


@contextmanager
def _exporter_silent() -> Iterator[None]:
    """Without what exporter and quantiser say of packages that are not there and of names that they give."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # onnxruntime's quantiser speaks through the root logger
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def round_weights(path: Path) -> None:
    """Make the matrices' weights of a graph int8, in place."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(str(path))
    _turn_constants(graph)
    n_bytes = sum(len(one.raw_data) for one in graph.graph.initializer)
    beside = path.with_name(path.name + ".data")
    beside.unlink(missing_ok=True)
    with _exporter_silent():
        quantize_dynamic(
            graph,
            str(path),
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=n_bytes // 4 > _MAX_BYTES_INSIDE,
        )


def _turn_constants(graph: Any) -> None:
    """Transpose constants once and for all.

    The output matrix is the embeddings', seen from the other side: turned only while it runs, it would not be rounded.
    """
    from onnx import numpy_helper

    constants = {one.name: one for one in graph.graph.initializer}
    for node in [node for node in graph.graph.node if node.op_type == "Transpose" and node.input[0] in constants]:
        order = next(list(one.ints) for one in node.attribute if one.name == "perm")
        turned = numpy_helper.to_array(constants[node.input[0]]).transpose(order).copy()
        graph.graph.initializer.append(numpy_helper.from_array(turned, node.output[0]))
        graph.graph.node.remove(node)
