"""How fast is it on this machine."""

from recsys.bench.scale import train_synthetic
from recsys.bench.speed import run_bench

__all__ = ["run_bench", "train_synthetic"]
