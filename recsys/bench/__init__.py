"""How fast is it on this machine."""

from recsys.bench.clicking import run_profile_bench
from recsys.bench.importing import run_scale_bench
from recsys.bench.mapping import run_map_bench
from recsys.bench.memory import run_memory_bench
from recsys.bench.scale import train_synthetic
from recsys.bench.speed import run_bench
from recsys.bench.vectors import run_vectors_bench

__all__ = [
    "run_bench",
    "run_map_bench",
    "run_memory_bench",
    "run_profile_bench",
    "run_scale_bench",
    "run_vectors_bench",
    "train_synthetic",
]
