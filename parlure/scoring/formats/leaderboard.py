"""Manifests of the Open ASR Leaderboard: NeMo's, with ``time``, the seconds that recognition took.

As its own scorer does (``normalizer/eval_utils.py`` in https://github.com/huggingface/open_asr_leaderboard), a
``pred_text`` of null is an empty one, and lines with one ``parent_id`` are chunks of one recording, whose whole
reference stands on each of them: they are joined by ``chunk_index`` and scored as one utterance.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from parlure.scoring.formats.nemo import add_manifest_rows
from parlure.scoring.formats.table import Row, Table, json_objects

EXAMPLE = (
    'such as {"audio_filepath": "sample_0", "duration": 1.5, "time": 0.1, "text": "bonjour", "pred_text": "bonsoir"}'
)


def read_leaderboard(path: Path) -> dict[str, Row]:
    """Utterances by id, with ``text`` and ``hypothesis``.

    Raises:
        ParlureError: as :func:`parlure.scoring.formats.nemo.read_nemo`, or a chunk is missing.
    """
    table = Table(path)
    lines = [
        (number, row | {"pred_text": row["pred_text"] or ""} if "pred_text" in row else row)
        for number, row in json_objects(table, EXAMPLE)
    ]
    whole = [(number, row) for number, row in lines if row.get("parent_id") is None]
    chunks: dict[str, list[tuple[int, Row]]] = {}
    for number, row in lines:
        if row.get("parent_id") is not None:
            chunks.setdefault(str(row["parent_id"]), []).append((number, row))
    for parent, parts in chunks.items():
        if (joined := _joined(table, parent, parts)) is not None:
            whole.append((parts[0][0], joined))
    add_manifest_rows(table, sorted(whole, key=lambda line: line[0]))
    return table.finished()


def _joined(table: Table, parent: str, parts: Sequence[tuple[int, Row]]) -> Row | None:
    """The utterance that chunks are of; None, and a refusal, where the chunks are not whole."""
    by_index = {index: row for _, row in parts if isinstance(index := row.get("chunk_index"), int)}
    if set(by_index) != set(range(len(parts))) or any(not isinstance(row.get("pred_text"), str) for _, row in parts):
        table.refuse(parts[0][0], f"the chunks of {parent} are not whole", "chunk_index counts from 0 without a gap")
        return None
    rows = [by_index[index] for index in range(len(parts))]
    lasted = [float(row["duration"]) for row in rows if isinstance(row.get("duration"), (int, float))]
    return rows[0] | {
        "audio_filepath": parent,
        "pred_text": " ".join(text for row in rows if (text := row["pred_text"].strip())),
        "duration": sum(lasted) if len(lasted) == len(rows) else None,
    }
