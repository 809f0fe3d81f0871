"""How a channel is written, and what is said where it is not."""

import numpy as np
import pytest
from talking import talk

from parlure.errors import ParlureError
from parlure.speech.channel.conditions import CONDITIONS, USUAL, Number, Word
from parlure.speech.channel.expression import generator, parse_channel, parse_channels, split_list


def refusal(text):
    with pytest.raises(ParlureError) as caught:
        parse_channel(text)
    return caught.value.message, caught.value.hint


def test_all_parameters_are_written_out():
    assert str(parse_channel(" g711>loss( 0.1 ,burst=3 ) ")) == ("g711(law=mu) > loss(rate=0.1, burst=3, conceal=none)")
    assert parse_channel(" g711>loss( 0.1 ,burst=3 ) ").text == "g711 > loss( 0.1 ,burst=3 )"
    assert str(parse_channel("gsm()")) == "gsm"


@pytest.mark.parametrize("text", [*USUAL, "loss(0.01..0.1, burst=1..4)", "amr(4.75..12.2) > noise(-30..-10)"])
def test_what_is_written_out_is_read_again(text):
    channel = parse_channel(text)
    assert parse_channel(str(channel)).stages == channel.stages


def test_unknown_conditions():
    assert refusal("gsmm") == ("there is no condition 'gsmm'", "did you mean gsm?")
    assert refusal("g711 > los(0.1)") == ("there is no condition 'los'", "did you mean loss?")
    message, hint = refusal("telegraph-wire")
    assert message == "there is no condition 'telegraph-wire'"
    assert hint == f"the conditions are {', '.join(CONDITIONS)}"


@pytest.mark.parametrize("text", ["", "g711 >", "loss(0.1", "loss 0.1", "gsm amr", "loss((0.1))"])
def test_what_cannot_be_read(text):
    message, hint = refusal(text)
    assert message.startswith(f"the condition {text!r} cannot be read at ")
    assert hint == "for example g711 > loss(0.05, burst=3)"


def test_unknown_parameters():
    assert refusal("loss(bursts=3)") == ("loss has no parameter 'bursts'", "did you mean burst?")
    assert refusal("loss(jitter=3)") == ("loss has no parameter 'jitter'", "loss takes rate, burst, conceal")
    assert refusal("gsm(13)") == ("gsm is given 1 values", "gsm takes nothing")
    assert refusal("clip(1, 2)") == ("clip is given 2 values", "clip takes db")
    assert refusal("loss(0.1, rate=0.2)") == ("loss is given rate twice", "loss takes rate, burst, conceal")


@pytest.mark.parametrize("value", ["0.6", "-0.1", "much", "nan", "0.3..0.1", "0.1..0.2..0.3", "0.1.."])
def test_numbers_out_of_their_limits(value):
    assert refusal(f"loss({value})") == (f"loss: rate cannot be {value!r}", "rate is 0 to 0.5: share of packets lost")


def test_values_that_are_not_among_a_few():
    assert refusal("g711(x)") == (
        "g711: law cannot be 'x'", "law is mu, a: µ-law (North America, Japan) or A-law",
    )  # fmt: skip
    for value in ("9", "5..12.2"):
        assert refusal(f"amr({value})") == (
            f"amr: kbps cannot be {value!r}",
            "kbps is 4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2: bit rate, kbit/s",
        )
    assert refusal("dtmf(keys=2.5)")[1] == "keys is whole numbers from 1 to 100: how many"


def test_lists():
    assert split_list("gsm, loss(0.1,burst=2) ,g711 > loss(0.1, 3),") == [
        "gsm",
        "loss(0.1,burst=2)",
        "g711 > loss(0.1, 3)",
    ]
    assert [channel.text for channel in parse_channels(["gsm", "amr(4.75)"])] == ["gsm", "amr(4.75)"]
    with pytest.raises(ParlureError, match=r"the condition amr\(kbps=12.2\) is there twice") as caught:
        parse_channels(["amr", "amr(kbps=12.2)"])
    assert caught.value.hint == "leave one of them out"


def test_a_span_is_drawn_for_each_key_and_keeps_to_its_steps():
    speech = talk(0.5)
    heard = [parse_channel("gain(-20..-10)").send(speech, str(key)) for key in range(40)]
    gains_db = [20 * np.log10(np.abs(one).max() / np.abs(speech).max()) for one in heard]
    assert -20 <= min(gains_db) < -18 and -12 < max(gains_db) <= -10
    steps = [parse_channel(f"mp3({kbps})") for kbps in (8, 16)]
    drawn = parse_channel("mp3(8..16)")
    found = {
        tuple(np.array_equal(drawn.send(speech, str(key)), step.send(speech, "")) for step in steps) for key in range(8)
    }
    assert found == {(True, False), (False, True)}


def test_stages_follow_each_other_and_a_stage_that_comes_twice_draws_twice():
    speech = talk(1.0)
    once = parse_channel("noise(-20)").send(speech, "a") - speech
    twice = parse_channel("noise(-20) > noise(-20)").send(speech, "a") - speech
    assert not np.allclose(twice, 2 * once, atol=1e-3)
    limited, added = (parse_channel(text).send(speech, "a") for text in ("noise(0) > clip(20)", "clip(20) > noise(0)"))
    assert np.abs(limited).max() < np.abs(added).max() / 2


def test_a_generator_is_the_same_in_every_process():
    assert generator("0 call-1", "loss").integers(1 << 32) == 86_088_572


def test_every_parameter_says_what_it_is():
    for name, condition in CONDITIONS.items():
        assert condition.meaning and "(" not in name
        for key, parameter in condition.parameters.items():
            assert parameter.meaning and parameter.allowed
            if isinstance(parameter, Number):
                assert parameter.low <= parameter.default <= parameter.high
                assert not parameter.steps or parameter.default in parameter.steps
            else:
                assert isinstance(parameter, Word) and parameter.default in parameter.words, key
