"""nano's network while it learns: Whisper with only the vocabulary rows it uses.

The 49,000 unused rows of the vocabulary are one and the same vector. In the softmax they then weigh exactly what one
row with log(49,000) added to its logit weighs, so training runs on some 3,000 rows, computes the loss of the full
vocabulary, and the stored rows compress to nothing.

While it learns, a second head on the encoder is asked for the phonemes by connectionist temporal classification (Graves
et al. 2006; joined with attention: Watanabe et al. 2017): decoder and cross-attention alone teach the encoder slowly.
That head is not part of what is stored.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import WhisperDecoderLayer

from nano import vocabulary as v
from nano.batches import PHONEME_UNITS, Batch
from parlure.whisper.encoder import allow_short_input
from parlure.whisper.prompt import IGNORED

_STAMP_SPREAD = 3  # standard deviation of a timestamp's label, in steps of 20 ms


def config(vocab_size: int, n_decoder_layers: int = 2) -> WhisperConfig:
    """nano's shape: d = 160 in 4 heads, 3 encoder layers, ffn = 4 d as runtimes expect."""
    return WhisperConfig(
        vocab_size=vocab_size,
        d_model=160,
        encoder_layers=3,
        decoder_layers=n_decoder_layers,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=640,
        decoder_ffn_dim=640,
        num_mel_bins=80,
        max_source_positions=1500,
        max_target_positions=448,
        init_std=0.06,  # at Hugging Face's 0.02 attention does not find the audio within 1,200 steps
        pad_token_id=v.END_OF_TEXT if vocab_size == v.VOCABULARY_SIZE else 0,
        bos_token_id=v.END_OF_TEXT if vocab_size == v.VOCABULARY_SIZE else 0,
        eos_token_id=v.END_OF_TEXT if vocab_size == v.VOCABULARY_SIZE else 0,
        decoder_start_token_id=v.START_OF_TRANSCRIPT if vocab_size == v.VOCABULARY_SIZE else 1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )


class CompactNano(nn.Module):
    """Whisper over the used vocabulary rows, with the loss of the whole vocabulary.

    Args:
        n_own: how many text ids are used; they come first, then one row for all the unused, then the special ids.
    """

    def __init__(self, n_own: int) -> None:
        super().__init__()
        self.n_own = n_own
        self.log_n_unused = math.log(v.N_TEXT - n_own)
        compact = torch.full((v.VOCABULARY_SIZE,), n_own)
        compact[:n_own] = torch.arange(n_own)
        compact[v.N_TEXT :] = torch.arange(v.VOCABULARY_SIZE - v.N_TEXT) + n_own + 1
        self.register_buffer("compact", compact, persistent=False)
        self.whisper = WhisperForConditionalGeneration(config(n_own + 1 + v.VOCABULARY_SIZE - v.N_TEXT))
        allow_short_input(self.whisper)
        self.phonemes = nn.Linear(self.whisper.config.d_model, 1 + len(PHONEME_UNITS))

    @property
    def n_decoder_layers(self) -> int:
        return len(self.whisper.model.decoder.layers)

    def deepen(self, n_decoder_layers: int) -> None:
        """Put decoder layers on top that change nothing until they are trained: what they add is zero."""
        while self.n_decoder_layers < n_decoder_layers:
            layer = WhisperDecoderLayer(self.whisper.config, layer_idx=self.n_decoder_layers)
            for last in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
                nn.init.zeros_(last.weight)
                nn.init.zeros_(last.bias)
            self.whisper.model.decoder.layers.append(layer)
            self.whisper.config.decoder_layers = self.n_decoder_layers

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Load what ``state_dict`` gave, of whatever depth."""
        self.deepen(
            1 + max(int(key.split("decoder.layers.")[1].split(".")[0]) for key in state if "decoder.layers" in key)
        )
        self.load_state_dict(state)

    def _logits(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = self.whisper.proj_out(hidden).float()
        unused = torch.zeros(logits.shape[-1])
        unused[self.n_own] = self.log_n_unused
        return logits + unused

    def _cross_entropy(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Of a timestamp, its neighbours are asked for too, by a Gaussian: 1,501 times are learnt as a scale, not one
        by one (soft labels: Díaz & Marathe 2019)."""
        logprobs = logits.log_softmax(-1)
        first, last = int(self.compact[v.TIMESTAMP_BEGIN]), int(self.compact[-1])
        offsets = torch.arange(-3 * _STAMP_SPREAD, 3 * _STAMP_SPREAD + 1)
        shares = torch.softmax(-0.5 * (offsets / _STAMP_SPREAD) ** 2, 0)
        nearby = logprobs.gather(-1, (targets[:, None] + offsets).clamp(first, last)) @ shares
        exact = logprobs.gather(-1, targets[:, None]).squeeze(-1)
        return -torch.where(targets >= first, nearby, exact).mean()

    def losses(self, batch: Batch, with_phonemes: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean cross-entropy per scored token, and the mean loss per phoneme (zero unless asked for)."""
        encoded = self.whisper.model.encoder(batch.features, first_positions=batch.first_positions).last_hidden_state
        hidden = self.whisper.model.decoder(
            input_ids=self.compact[batch.inputs], encoder_hidden_states=encoded, use_cache=False
        ).last_hidden_state
        scored = batch.targets != IGNORED
        spelt = self._cross_entropy(self._logits(hidden[scored]), self.compact[batch.targets[scored]])
        if not with_phonemes:
            return spelt, torch.zeros(())
        n_positions = int(batch.n_positions.max())
        logprobs = self.phonemes(encoded[:, :n_positions]).float().log_softmax(-1).transpose(0, 1)
        heard = nn.functional.ctc_loss(
            logprobs, batch.phonemes, batch.n_positions, batch.n_phonemes, reduction="sum", zero_infinity=True
        )
        return spelt, heard / max(1, len(batch.phonemes))

    @torch.inference_mode()
    def transcribe(self, features: torch.Tensor, language: str, max_tokens: int = 100) -> list[list[int]]:
        """Greedy text ids for a batch, without timestamps."""
        encoded = self.whisper.model.encoder(features).last_hidden_state
        prompt = [v.START_OF_TRANSCRIPT, v.language_id(language), v.TRANSCRIBE, v.NO_TIMESTAMPS]
        ids = self.compact[torch.tensor([prompt] * len(features))]
        end = int(self.compact[v.END_OF_TEXT])
        past, done = None, torch.zeros(len(features), dtype=torch.bool)
        found: list[list[int]] = [[] for _ in features]
        for _ in range(max_tokens):
            output = self.whisper.model.decoder(
                input_ids=ids, encoder_hidden_states=encoded, past_key_values=past, use_cache=True
            )
            past = output.past_key_values
            logits = self._logits(output.last_hidden_state[:, -1])
            logits[:, self.n_own] = -torch.inf
            logits[:, end + 1 :] = -torch.inf
            best = logits.argmax(-1)
            done |= best == end
            if done.all():
                break
            for row in torch.nonzero(~done).flatten().tolist():
                found[row].append(int(best[row]))
            ids = best[:, None]
        return found

    def adopt(self, full: WhisperForConditionalGeneration) -> None:
        """Take over the weights of what :meth:`expand` made."""
        self.deepen(full.config.decoder_layers)
        state = dict(full.float().state_dict())
        rows = torch.empty_like(self.whisper.state_dict()["model.decoder.embed_tokens.weight"])
        rows[self.compact] = state["model.decoder.embed_tokens.weight"]  # the unused all write the same one
        state["model.decoder.embed_tokens.weight"] = state["proj_out.weight"] = rows
        self.whisper.load_state_dict(state)  # the phoneme head stays as it was drawn

    def expand(self) -> WhisperForConditionalGeneration:
        """The same model over the full vocabulary."""
        full = WhisperForConditionalGeneration(config(v.VOCABULARY_SIZE, self.n_decoder_layers))
        state = dict(self.whisper.state_dict())
        rows = state["model.decoder.embed_tokens.weight"][self.compact]
        state["model.decoder.embed_tokens.weight"] = state["proj_out.weight"] = rows
        full.load_state_dict(state)
        return full.eval()
