"""Several runs → one: the weighted sum to rounding, TIES and DARE by their definitions, and a run that goes on."""

import json

import pytest
import torch
from tuned_runs import tuned_run

from parlure import cli
from parlure.errors import ParlureError
from parlure.shipping.card import make_card
from parlure.shipping.publish import plan
from parlure.training.merging import merge
from parlure.whisper.blending import Blend
from parlure.whisper.combining import combine
from parlure.whisper.load import NANO, base_of, load, load_base, tuned_for_short


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("merging")
    return {
        "lora": tuned_run(place / "lora", 1),
        "rslora": tuned_run(place / "rslora", 2, method="rslora", r=2, parts="decoder", full_window_share=0.3),
        "lokr": tuned_run(place / "lokr", 3, method="lokr", full_window_share=1.0),
        "full": tuned_run(place / "full", 4, method="full", parts="decoder", last_layers=1),
    }


def changes(model):
    """What a model has learnt: name → its weight minus nano's."""
    base = dict(load_base(str(NANO)).named_parameters())
    return {name: value.detach() - base[name].detach() for name, value in model.named_parameters()}


def learnt(run):
    return changes(load(str(run), "cpu").model)


@pytest.mark.parametrize(
    ("names", "kept"), [(("lora", "rslora"), "adapter"), (("lora", "lokr"), "model"), (("full", "rslora"), "model")]
)
def test_linear_is_the_weighted_sum_of_what_was_learnt(runs, tmp_path, names, kept):
    table = merge([str(runs[name]) for name in names], tmp_path / "both", weights=[0.7, -0.2])
    assert (table["kept_as"], [row["weight"] for row in table["runs"]]) == (kept, [0.7, -0.2])
    assert json.loads((tmp_path / "both" / "merge.json").read_text()) == table
    files = {path.name for path in (tmp_path / "both").iterdir()} - {".lock"}
    assert files == {kept, "merge.json", "recipe.toml", "runs"}
    first, second, found = learnt(runs[names[0]]), learnt(runs[names[1]]), learnt(tmp_path / "both")
    for name, value in found.items():
        torch.testing.assert_close(value, 0.7 * first[name] - 0.2 * second[name], rtol=1e-4, atol=1e-5)


def test_without_weights_it_is_the_mean_and_of_a_run_with_itself_the_run(runs, tmp_path):
    run = str(runs["lora"])
    merge([run, run], tmp_path / "same")
    alone, found = learnt(run), learnt(tmp_path / "same")
    for name, value in alone.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)


def combined(changed, **options):
    """The change that comes of changes to the first numbers of one weight."""
    name = "model.decoder.layers.0.fc1.bias"
    models = []
    for change in changed:
        models.append(load_base(str(NANO)))
        dict(models[-1].named_parameters())[name].data[: len(change)] += torch.tensor(change)
    base = load_base(str(NANO))
    combine(base, models, **options)
    found = changes(base)[name]
    n_given = len(changed[0])
    assert not found[n_given:].any()
    return found[:n_given]


def test_ties_drops_small_changes_votes_on_signs_and_takes_the_mean():
    # of 640 numbers a density of 3 in 640 leaves three each: the 0.1 of the first goes, and the 0.2 of the second
    changed = [[0.1, 4.0, -3.0, 2.0], [5.0, 0.2, 1.0, 4.0]]
    found = combined(changed, weights=[1.0, 1.0], how="ties", density=3 / 640)
    torch.testing.assert_close(found, torch.tensor([5.0, 4.0, -3.0, 3.0]), rtol=1e-4, atol=1e-4)


def test_dare_keeps_the_sum_in_the_mean_and_the_seed_decides():
    changed = [[1.0] * 600, [0.0] * 600]
    found = combined(changed, weights=[1.0, 1.0], how="dare", density=0.25)
    kept = found[found.abs() > 0.5]
    torch.testing.assert_close(kept, torch.full_like(kept, 4.0), rtol=1e-4, atol=1e-4)
    assert 0.15 < len(kept) / 600 < 0.35
    assert torch.equal(found, combined(changed, weights=[1.0, 1.0], how="dare", density=0.25))
    assert not torch.equal(found, combined(changed, weights=[1.0, 1.0], how="dare", density=0.25, seed=2))


def test_what_is_made_is_a_run(runs, tmp_path):
    out = tmp_path / "both"
    merge([str(runs["lora"]), str(runs["rslora"])], out)
    assert base_of(str(out)) == "nano"
    assert tuned_for_short(str(out))
    assert "\nr = " not in (out / "recipe.toml").read_text()  # they differ in it
    blend = Blend(str(out))
    blend.put(0.5)
    whole, half = learnt(out), changes(blend.whisper)
    for name, value in half.items():
        torch.testing.assert_close(value, whole[name] / 2, rtol=1e-4, atol=1e-6)
    assert blend.save_adapter(0.5, tmp_path / "half")
    merge([str(out), str(runs["lokr"])], tmp_path / "again", how="ties")
    assert not tuned_for_short(str(tmp_path / "again"))  # one of the three has never heard a short window
    assert (tmp_path / "again" / "runs" / "02" / "recipe.toml").is_file()
    make_card(tmp_path / "again")


def test_the_command_and_the_card(runs, tmp_path, capsys):
    out = tmp_path / "both"
    arguments = [str(runs["lora"]), str(runs["full"]), "--how", "dare", "--density", "0.4", "--out", str(out)]
    assert cli.run(["merge", *arguments, "--weights", "0.5,1"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{out}: 2 runs merged into one whole model" in said.err
    card = (out / "README.md").read_text()
    assert "DARE, of each 40% of the changes by chance (seed 1)" in card
    assert "| lora | 0.5 | lora | 0.50 | 40.0 % → 31.0 % |" in card
    assert "| full | 1 | full | 0.50 | 40.0 % → 34.0 % |" in card
    assert 'license: "CC-BY-4.0"' in card and "not of what was merged" in card
    publication = plan(out, "us/both")
    assert "model.safetensors" in publication.contents
    assert {"merge.json", "runs", "recipe.toml"} <= set(publication.held_back)
    assert str(runs["lora"].parent) not in publication.card


def test_refusals(runs, tmp_path, capsys):
    lora, full = str(runs["lora"]), str(runs["full"])
    other = tmp_path / "other"
    other.mkdir()
    (other / "recipe.toml").write_text(f'[model]\nbase = "{NANO.parent}/../nano/model/../model"\n')
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    new = tmp_path / "new"
    for arguments, options, message, hint in (
        (([lora, full], new), {"how": "mean"}, "runs are not merged by mean", "--how linear or ties or dare"),
        (([lora, full], new), {"density": 0.5}, "linear keeps every change: it has no density",
         "leave it out, or --how ties or dare"),
        (([lora, full], new), {"how": "ties", "density": 0.0}, "a density of 0 is no share above 0",
         "for example --density 0.5"),
        (([lora], new), {}, f"{lora} is not several runs", "parlure merge RUN1 RUN2 --out RUN"),
        (([lora, full], new), {"weights": [1.0]}, "--weights 1 is not a number for each of 2 runs",
         "such as --weights 0.7,0.3"),
        (([lora, full], new), {"weights": [1.0, float("nan")]}, "--weights 1,nan is not a number for each of 2 runs",
         "such as --weights 0.7,0.3"),
        (([lora, str(other)], new), {},
         f"{other} was tuned from {NANO.parent}/../nano/model/../model, and {lora} from {NANO}",
         "merge runs of one base"),
        (([lora, full], tmp_path / "taken"), {}, f"{tmp_path / 'taken'} is not empty", "give a new folder: --out NAME"),
    ):  # fmt: skip
        with pytest.raises(ParlureError) as caught:
            merge(*arguments, **options)
        assert (caught.value.message, caught.value.hint) == (message, hint)
        assert not new.exists()
    assert cli.run(["merge", lora, full, "--out", str(new), "--weights", "half"]) == 2
    assert "error: --weights half are not numbers\nhint: such as --weights 0.7,0.3" in capsys.readouterr().err
    (other / "merge.json").touch()
    with pytest.raises(ParlureError, match="is not a run with an adapter or a model"):
        make_card(other)
