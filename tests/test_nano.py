"""nano keeps Whisper's outward form: layout, special ids, vocabulary, stock loading and generation."""

import json

import torch
from safetensors import safe_open
from transformers import AutoProcessor, WhisperForConditionalGeneration, pipeline

from parlure.whisper.load import NANO


def test_hugging_face_layout_and_size():
    names = {path.name for path in NANO.iterdir()}
    assert {
        "config.json", "generation_config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json",
        "tokenizer_config.json", "README.md", "training_log.jsonl",
    } <= names  # fmt: skip
    assert (NANO / "model.safetensors").stat().st_size <= 24e6
    with safe_open(NANO / "model.safetensors", "pt") as weights:
        assert {weights.get_tensor(name).dtype for name in weights.keys()} == {torch.float16}  # noqa: SIM118


def test_vocabulary_is_in_the_public_places(nano):
    vocabulary = nano.tokenizer.get_vocab()
    expected = {
        "": 50_256, "<|endoftext|>": 50_257, "<|startoftranscript|>": 50_258, "<|en|>": 50_259, "<|fr|>": 50_265,
        "<|su|>": 50_357, "<|translate|>": 50_358, "<|transcribe|>": 50_359, "<|startofprev|>": 50_361,
        "<|nospeech|>": 50_362, "<|notimestamps|>": 50_363, "<|0.00|>": 50_364, "<|30.00|>": 51_864,
    }  # fmt: skip
    assert {token: vocabulary[token] for token in expected} == expected
    assert len(nano.tokenizer) == nano.model.config.vocab_size == 51_865


def test_unused_rows_are_one_vector(nano):
    vocabulary = nano.tokenizer.get_vocab()
    unused = [index for token, index in vocabulary.items() if token.startswith("[unused")]
    rows = nano.model.model.decoder.embed_tokens.weight[unused]
    assert len(unused) > 48_000
    assert torch.equal(rows, rows[:1].expand_as(rows))


def test_never_spoken_symbols_do_not_suppress_the_space(nano):
    space = nano.tokenizer.encode(" ", add_special_tokens=False)
    suppressed = nano.model.generation_config.suppress_tokens
    assert space[0] not in suppressed
    for symbol in (" -", " '", " ♪", "♪♪♪"):
        assert nano.tokenizer.encode(symbol, add_special_tokens=False)[0] in suppressed


def test_generation_config_is_complete():
    settings = json.loads((NANO / "generation_config.json").read_text())
    for key in (
        "decoder_start_token_id", "is_multilingual", "lang_to_id", "task_to_id", "no_timestamps_token_id",
        "prev_sot_token_id", "max_initial_timestamp_index", "begin_suppress_tokens", "suppress_tokens",
        "alignment_heads",
    ):  # fmt: skip
        assert settings[key] is not None
    assert len(settings["lang_to_id"]) == 99


def test_stock_transformers_runs_it(clips):
    model = WhisperForConditionalGeneration.from_pretrained(NANO, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(NANO)
    recognise = pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
    )
    sound = clips[0].read()
    found = recognise({"raw": sound, "sampling_rate": 16_000}, generate_kwargs={"language": "fr", "max_new_tokens": 60})
    assert isinstance(found["text"], str)
    stamped = recognise(
        {"raw": sound, "sampling_rate": 16_000},
        return_timestamps=True,
        generate_kwargs={"language": "fr", "max_new_tokens": 60},
    )
    assert "chunks" in stamped
