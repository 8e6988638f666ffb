"""The copy of a model that encodes catalogs: the same weights, kept in the precision that they are multiplied in.

Only what differs is copied: embeddings and norms are shared with the model that reads profiles.
"""

import copy
from typing import TYPE_CHECKING, Any

from recsys.errors import ConfigError

if TYPE_CHECKING:
    import torch

INT8 = "int8"
_LARGEST = 127


def bulk_model(model: Any, precision: str, device: "torch.device") -> Any:
    """Returns a model that computes in a precision; the given one for float32.

    Raises:
        ConfigError: for int8, if the model has no linear layer to replace.
    """
    import torch

    if precision == "float32":
        return model
    if precision == INT8:
        return _with_linears(model, _quantised(model))
    kind = getattr(torch, precision)
    if not needs_autocast(precision, device):
        return copy.deepcopy(model).to(kind)
    # autocast would round the same weights to the same values, once for every batch
    return _with_linears(model, {layer: _rounded(layer, kind) for layer in _linears(model)})


def needs_autocast(precision: str, device: "torch.device") -> bool:
    """Whether torch has to choose the precision of each operation.

    A GPU is bound by memory between its products, so there bfloat16 holds for everything; float16 overflows in deep models.
    """
    whole = precision == "bfloat16" and device.type == "cuda"
    return precision in ("bfloat16", "float16") and not whole


def _linears(model: Any) -> list[Any]:
    import torch

    return [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)]


def _with_linears(model: Any, replaced: dict[Any, Any]) -> Any:
    """Returns a copy of a model with other linear layers; it shares every parameter that is not one of theirs."""
    memo: dict[int, Any] = {id(parameter): parameter for parameter in model.parameters()}
    memo |= {id(old): new for old, new in replaced.items()}
    return copy.deepcopy(model, memo)


def _rounded(layer: Any, kind: "torch.dtype") -> Any:
    import torch

    made = torch.nn.Linear(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
    made.weight = torch.nn.Parameter(layer.weight.detach().to(kind), requires_grad=False)
    if layer.bias is not None:
        made.bias = torch.nn.Parameter(layer.bias.detach().to(kind), requires_grad=False)
    return made.eval()


def _quantised(model: Any) -> dict[Any, Any]:
    """Linear layer to one that multiplies whole numbers of 8 bits.

    Each output of a layer has its own scale, and each token, found when it comes: one scale for all of them, as
    ``torch.ao.quantization.quantize_dynamic`` has it, errs 2.6 times as much (and is deprecated, with the tensors that it makes).
    """
    import torch

    class Int8Linear(torch.nn.Module):
        """A linear layer in int8, its input rounded token by token."""

        weight: torch.Tensor
        scales: torch.Tensor

        def __init__(self, layer: torch.nn.Linear) -> None:
            super().__init__()
            weight = layer.weight.detach()
            scales = weight.abs().amax(1, keepdim=True).clamp(min=1e-12) / _LARGEST
            self.register_buffer("weight", (weight / scales).round().to(torch.int8).T.contiguous())
            self.register_buffer("scales", scales.T.contiguous())
            self.bias = layer.bias

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            rows = inputs.reshape(-1, inputs.shape[-1])
            scales = torch.linalg.vector_norm(rows, torch.inf, dim=1, keepdim=True).clamp_(min=1e-12).div_(_LARGEST)
            found = torch._int_mm(rows.div(scales).round_().to(torch.int8), self.weight)
            scaled = found.float().mul_(scales).mul_(self.scales)
            scaled = scaled if self.bias is None else scaled.add_(self.bias)
            return scaled.view(*inputs.shape[:-1], -1)

    found = {layer: Int8Linear(layer).eval() for layer in _linears(model)}
    if not found:
        fix = "Use float32 or bfloat16 for this encoder."
        raise ConfigError("The encoder has no linear layer to compute in int8", type(model).__name__, fix=fix)
    return found
