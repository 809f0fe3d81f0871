"""Speech-recognition models that are no Whisper: tiny, of random weights, in Hugging Face's layout."""

import json

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    MoonshineConfig,
    MoonshineForConditionalGeneration,
    ParakeetCTCConfig,
    ParakeetFeatureExtractor,
    ParakeetForCTC,
    ParakeetForTDT,
    ParakeetTDTConfig,
    ParakeetTokenizer,
    PreTrainedTokenizerFast,
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
)

LETTERS = list("abcdefghijklmnopqrstuvwxyz'")
_ENCODER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
            "subsampling_conv_channels": 16, "num_mel_bins": 80}  # fmt: skip


def write_wav2vec2(folder):
    """A CTC model that hears waves, normalised over the whole of its input."""
    folder.mkdir()
    torch.manual_seed(0)
    vocabulary = {token: id_ for id_, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *LETTERS])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    Wav2Vec2CTCTokenizer(str(folder / "vocab.json")).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(folder)
    config = Wav2Vec2Config(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        conv_dim=(32,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, pad_token_id=0,
    )  # fmt: skip
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    return str(folder)


def write_parakeet(folder):
    """A CTC model that hears log-mels."""
    tokenizer = _tokenizer(folder, ParakeetTokenizer)
    ParakeetFeatureExtractor(feature_size=80).save_pretrained(folder)
    config = ParakeetCTCConfig(vocab_size=len(tokenizer), encoder_config=_ENCODER, pad_token_id=tokenizer.pad_token_id)
    ParakeetForCTC(config).save_pretrained(folder)
    return str(folder)


def write_transducer(folder):
    """A transducer of the same family."""
    tokenizer = _tokenizer(folder, ParakeetTokenizer)
    ParakeetFeatureExtractor(feature_size=80).save_pretrained(folder)
    blank = tokenizer.pad_token_id
    config = ParakeetTDTConfig(
        vocab_size=len(tokenizer), encoder_config=_ENCODER, pad_token_id=blank, blank_token_id=blank,
        decoder_hidden_size=32, num_decoder_layers=1, durations=[0, 1, 2],
    )  # fmt: skip
    model = ParakeetForTDT(config)
    model.generation_config.decoder_start_token_id = blank
    model.save_pretrained(folder)
    return str(folder)


def write_moonshine(folder):
    """A model that writes token by token, as Whisper does."""
    tokenizer = _tokenizer(folder, PreTrainedTokenizerFast)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    config = MoonshineConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, encoder_num_hidden_layers=1,
        decoder_num_hidden_layers=1, encoder_num_attention_heads=2, decoder_num_attention_heads=2, bos_token_id=1,
        eos_token_id=2, pad_token_id=tokenizer.pad_token_id, decoder_start_token_id=1, initializer_range=0.5,
    )  # fmt: skip
    MoonshineForConditionalGeneration(config).save_pretrained(folder)
    return str(folder)


def _tokenizer(folder, kind):
    folder.mkdir()
    torch.manual_seed(0)
    vocabulary = {token: id_ for id_, token in enumerate(["<unk>", "<s>", "</s>", "▁", *LETTERS, "<pad>"])}
    pieces = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    pieces.pre_tokenizer, pieces.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer = kind(tokenizer_object=pieces, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    tokenizer.save_pretrained(folder)
    return tokenizer
