"""The model that encodes catalogs: what it computes in, and what it shares."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.encoder import TransformerEncoder, open_encoder
from recsys.encoder.bulk_model import bulk_model, needs_autocast
from recsys.encoder.device import choose_precision
from recsys.errors import ConfigError
from recsys.settings import DEFAULT_ENCODER
from tests.encoder.tiny import save_bert, save_gpt2

CPU = torch.device("cpu")
TEXTS = ["Space opera with a quiet hero", "romance", "A film about a lighthouse keeper, for children", "noir " * 30]


def test_int8_stays_close_for_catalogs_and_leaves_profiles_alone(minilm: TransformerEncoder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch.ao, which this does without, is deprecated
        encoder = open_encoder(DEFAULT_ENCODER, device="cpu", precision="int8")
        bulk = encoder.encode(TEXTS, bulk=True)
    exact = minilm.encode(TEXTS)
    np.testing.assert_array_equal(encoder.encode(TEXTS), exact)
    assert np.abs(bulk - exact).max() > 1e-4
    assert (bulk * exact).sum(1).min() > 0.985
    assert encoder.description.endswith("int8")
    assert encoder.identity.endswith("-int8")
    np.testing.assert_allclose(bulk, encoder.encode(TEXTS[::-1], bulk=True)[::-1], atol=2e-2)


def test_an_int8_layer_equals_its_rounding_worked_out(tmp_path: Path):
    layer = torch.nn.Linear(24, 5)
    with torch.inference_mode():
        inputs = torch.randn(2, 3, 24) * torch.tensor([1.0, 100.0, 0.01])[:, None]
        inputs[0, 0] = 0
        made = bulk_model(torch.nn.Sequential(layer), "int8", CPU)
        weight = layer.weight.double()
        steps = weight.abs().amax(1) / 127
        sizes = inputs.double().abs().amax(2, keepdim=True).clamp(min=1e-12) / 127
        whole = (inputs / sizes).round() @ (weight / steps[:, None]).round().T
        np.testing.assert_allclose(made(inputs), whole * sizes * steps + layer.bias, rtol=1e-4, atol=1e-4)


def test_only_linear_layers_are_copied(minilm: TransformerEncoder):
    for precision in ("int8", "bfloat16"):
        made = bulk_model(minilm.model, precision, CPU)
        assert made.embeddings.word_embeddings.weight is minilm.model.embeddings.word_embeddings.weight
    assert all(parameter.dtype == torch.float32 for parameter in minilm.model.parameters())
    assert bulk_model(minilm.model, "float32", CPU) is minilm.model


def test_rounding_the_weights_once_gives_what_autocast_gives(minilm: TransformerEncoder):
    tokens = minilm.tokenizer(TEXTS, padding=True, return_tensors="pt")
    inputs = {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}
    made = bulk_model(minilm.model, "bfloat16", CPU)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(
            made(**inputs).last_hidden_state.float(), minilm.model(**inputs).last_hidden_state.float()
        )


def test_auto_never_takes_int8():
    for device in ("cpu", "mps"):
        assert choose_precision("auto", torch.device(device)) in ("float32", "bfloat16")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_int8_elsewhere_is_refused(device: str):
    with pytest.raises(ConfigError, match=rf"int8 on a processor only: '{device}'\. Use bfloat16"):
        choose_precision("int8", torch.device(device))


def test_an_encoder_without_linear_layers_is_refused_at_the_door(tmp_path: Path):
    with pytest.raises(ConfigError, match="no linear layer to compute in int8: 'GPT2Model'"):
        open_encoder(str(save_gpt2(tmp_path)), device="cpu", precision="int8")


def test_a_gpu_computes_all_of_bfloat16_in_it(tmp_path: Path):
    model = open_encoder(str(save_bert(tmp_path)), device="cpu").model
    made = bulk_model(model, "bfloat16", torch.device("cuda"))
    assert {parameter.dtype for parameter in made.parameters()} == {torch.bfloat16}
    assert not needs_autocast("bfloat16", torch.device("cuda"))
    assert needs_autocast("float16", torch.device("cuda"))
    assert needs_autocast("bfloat16", CPU)
    assert not needs_autocast("float32", CPU)
    assert not needs_autocast("int8", CPU)
