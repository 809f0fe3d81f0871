"""The sections of a recipe and their fields: each documented here, once, for docs and templates."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, use_attribute_docstrings=True)


class ModelSection(_Section):
    """What is tuned."""

    base: str = "openai/whisper-medium"
    """the MODEL to start from: nano, a Hugging Face folder or hub id, or a run in which every weight was tuned"""


class DataSection(_Section):
    """What it is tuned on."""

    corpus: str
    """the corpus folder that `parlure prepare` made, relative to the recipe"""
    language: str = ""
    """learn from utterances of this language only, such as fr; empty: all"""
    task: Literal["", "transcribe", "translate"] = ""
    """learn from utterances of this task only; empty: both"""
    permute_labels: bool = False
    """a control: every training utterance gets the transcript of another one, from which no speech can be learnt"""


class AdapterSection(_Section):
    """How the model is changed."""

    method: Literal["lora", "rslora", "dora", "pissa", "adalora", "loha", "lokr", "oft", "vera", "ia3", "full"] = "lora"
    """lora and its kin: small adapters over frozen weights, see below; full: the weights themselves"""
    r: int = Field(default=32, ge=1)
    """rank of the adapters, with oft the size of a block; higher learns more and needs more memory"""
    alpha: float = Field(default=64.0, gt=0)
    """scale of the adapters: their update is multiplied by alpha / r, with rslora by alpha / √r"""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """dropout on the adapters' input"""
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
    """names of the linear layers that get an adapter"""
    bits: Literal[0, 4, 8] = 0
    """hold the frozen weights in so many bits (QLoRA; needs bitsandbytes): less memory, slower; 0: as they are"""
    parts: Literal["both", "encoder", "decoder"] = "both"
    """what is tuned; decoder: the encoder stays as it is, which is faster and hears no better"""
    last_layers: int = Field(default=0, ge=0)
    """tune only so many layers of each part, the last ones; 0: all"""
    modules_to_save: tuple[str, ...] = ()
    """other modules that are trained whole beside the adapters and saved with them, such as conv1, conv2, layer_norm"""


class TrainingSection(_Section):
    """How it is optimised."""

    epochs: float = Field(default=3.0, gt=0)
    """passes over the training utterances"""
    max_steps: int = Field(default=0, ge=0)
    """stop after so many optimiser steps; 0: as many as the epochs make"""
    learning_rate: float = Field(default=1e-4, gt=0)
    """peak learning rate; full fine-tuning takes about a tenth of what suits LoRA, `parlure init` writes it by size"""
    warmup_steps: int = Field(default=50, ge=0)
    """steps in which the rate rises from 0 to its peak, after which it falls to 0 linearly"""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """learning rate of a layer as a share of the next one's, in encoder and decoder each; 1: all learn alike"""
    average: float = Field(default=0.0, ge=0, lt=1)
    """decay of a moving average of what is trained, which is judged and kept in its place; 0.999 is usual, 0: none"""
    weight_decay: float = Field(default=0.0, ge=0)
    """decoupled weight decay (AdamW)"""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """share of every label's probability that is asked for of all other tokens alike"""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """dropout in the model's own layers; 0: as its configuration says, which is none for OpenAI's"""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """gradients longer than this are shortened to it"""
    batch_seconds: float = Field(default=30.0, ge=0)
    """seconds of encoder input in one forward pass; 0: as much as memory takes, with accumulation adapted to it"""
    accumulation: int = Field(default=8, ge=1)
    """forward passes per optimiser step, shared out among the processes"""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 on a GPU that has it, else fp32"""
    checkpointing: Literal["auto", "on", "off"] = "auto"
    """compute layers again in the backward pass, slower with less memory; auto: only if it does not fit without"""
    memory_gb: float = Field(default=0.0, ge=0)
    """memory that a process may take, in GB; 0: what is free"""
    seed: int = 1
    """decides order, dropout and adapter initialisation"""
    full_window_share: float = Field(default=0.1, ge=0, le=1)
    """share of utterances in windows of 30 s, which runtimes decode in; the rest is fed at its own length, faster"""
    utterances_per_window: int = Field(default=4, ge=1)
    """utterances of one speaker that may share a 30 s window, 1 to so many; with a share of 1: packing"""
    encoder_cache_gb: float = Field(default=0.0, ge=0)
    """with adapter.parts = "decoder": keep so many GB of encoder outputs, so that later epochs need not compute them"""
    encoder_cache: Literal["memory", "disk"] = "memory"
    """where they are kept; on disk they lie in the run folder until the run is done"""


class TargetsSection(_Section):
    """What is asked for of an utterance, drawn anew every epoch."""

    timestamps: float = Field(default=0.5, ge=0, le=1)
    """share of utterances with phrase times (`segments`) that are trained with them, and of full windows of several"""
    prompts: float = Field(default=0.5, ge=0, le=1)
    """share of utterances with a text before them (`prompt`) that are trained behind it"""
    terms: str = ""
    """a list of terms, one a line, relative to the recipe, that windows are trained behind, see docs/vocabulary.md"""
    term_prompts: float = Field(default=0.5, ge=0, le=1)
    """share of windows without a previous text that are trained behind some of the terms"""


class LanguageSection(_Section):
    """A language that Whisper lacks, see docs/new-language.md."""

    code: str = ""
    """its code in the corpus, such as eo; empty: there is none"""
    token: str = ""
    """code of a language whose token it takes over, such as la; empty: a new token, for Hugging Face and torch alone"""
    like: str = ""
    """code of a language, a relative's, whose token it begins as; empty: the one taken over, or the mean of all"""


class AugmentationSection(_Section):
    """What training utterances go through before they are heard, in this order; dev and test stay as they are."""

    speed: float = Field(default=0.0, ge=0, le=1)
    """share of training utterances said faster or slower, with their phrase times; shares are drawn anew every epoch"""
    speeds: tuple[float, ...] = (0.9, 1.1)
    """the speeds, each as often as any other; 1 is as recorded"""
    reverberation: float = Field(default=0.0, ge=0, le=1)
    """share of training utterances that are put into a room: one of the impulse responses of reverberation_folder"""
    reverberation_folder: str = ""
    """a folder of impulse responses, one recording each, relative to the recipe"""
    noise: float = Field(default=0.0, ge=0, le=1)
    """share of training utterances that get noise: a stretch of one of the recordings of noise_folder"""
    noise_folder: str = ""
    """a folder of recordings of noise, relative to the recipe"""
    noise_snr_db: tuple[float, float] = (5.0, 25.0)
    """span of signal-to-noise ratios, of the active speech, in dB"""
    gain: float = Field(default=0.0, ge=0, le=1)
    """share of training utterances that get louder or quieter"""
    gain_db: tuple[float, float] = (-20.0, 6.0)
    """span of gains, in dB"""
    telephone: float = Field(default=0.0, ge=0, le=1)
    """share of training utterances that go through a telephone channel"""
    conditions: tuple[str, ...] = (
        "g711",
        "g711(a)",
        "gsm",
        "amr(4.75..12.2)",
        "opus(6..12)",
        "g711 > loss(0.01..0.1)",
        "g711 > loss(0.01..0.1, burst=1..4, conceal=repeat)",
    )
    """the channels, each as often as any other; docs/telephone.md lists what they are made of"""
    spec_augment: float = Field(default=0.0, ge=0, le=1)
    """share of windows whose log-mels are masked: two bands and two stretches of time (SpecAugment)"""
    mask_mels: int = Field(default=15, ge=0)
    """most mels of a masked band"""
    mask_s: float = Field(default=0.7, ge=0)
    """most seconds of a masked stretch, each at most a fifth of the sound"""


class EvaluationSection(_Section):
    """How the best checkpoint is found: by the dev split's word error rate, decoded, never by loss."""

    every_steps: int = Field(default=200, ge=1)
    """optimiser steps between two evaluations, each of which writes a checkpoint"""
    patience: int = Field(default=5, ge=0)
    """stop after so many evaluations without a better dev WER; 0: never"""
    max_utterances: int = Field(default=0, ge=0)
    """decode at most so many dev utterances, the same ones every time; 0: all"""
    profile: str = ""
    """the normaliser of the dev WER; empty: the language's own"""


class GuardSection(_Section):
    """What the model must not forget: corpora of other domains, whose dev split is decoded with every evaluation."""

    corpora: tuple[str, ...] = ()
    """the corpora, each a folder or NAME=FOLDER"""
    max_loss: float = Field(default=1.0, ge=0)
    """points of WER that each may lose against the base; a checkpoint that loses more is not kept"""
    patience: int = Field(default=2, ge=0)
    """stop after so many evaluations in a row that lose more; 0: never"""
    max_utterances: int = Field(default=200, ge=0)
    """decode at most so many utterances of each, the same ones every time; 0: all"""


class ReplaySection(_Section):
    """Training utterances of a general corpus among one's own, so that what they teach is not forgotten."""

    corpus: str = ""
    """the corpus folder; empty: none"""
    share: float = Field(default=0.2, gt=0, lt=1)
    """share of an epoch's utterances that come from it, drawn anew every epoch"""


class DecodingSection(_Section):
    """How dev utterances are decoded."""

    batch_size: int = Field(default=16, ge=1)
    """30 s windows decoded together, twice as many short ones"""
    max_new_tokens: int = Field(default=224, ge=1, le=444)
    """token limit of one utterance"""
    beam_size: int = Field(default=1, ge=1)
    """1: the most probable token at every step; more: so many beginnings of every text at once, as much slower"""


class TrackingSection(_Section):
    """Where the rows of metrics.jsonl go beside that file; nothing here changes what is learnt."""

    trackers: tuple[Literal["tensorboard", "mlflow", "wandb", "trackio"], ...] = ()
    """experiment trackers that get the recipe and every row: tensorboard, mlflow, wandb, trackio; docs/tracking.md"""
    project: str = Field(default="parlure", min_length=1)
    """what the tracker files the run under: MLflow's experiment, the project of wandb and trackio"""
    run_name: str = ""
    """what the tracker calls the run; empty: the name of the run folder"""


class Recipe(_Section):
    """A whole recipe. The smallest one names a corpus."""

    model: ModelSection = ModelSection()
    data: DataSection
    adapter: AdapterSection = AdapterSection()
    training: TrainingSection = TrainingSection()
    targets: TargetsSection = TargetsSection()
    language: LanguageSection = LanguageSection()
    augmentation: AugmentationSection = AugmentationSection()
    replay: ReplaySection = ReplaySection()
    evaluation: EvaluationSection = EvaluationSection()
    guard: GuardSection = GuardSection()
    decoding: DecodingSection = DecodingSection()
    tracking: TrackingSection = TrackingSection()
