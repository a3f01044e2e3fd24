"""What was measured once on this machine and is remembered."""

from impasto_engine.networks.network import Precision

def resolve_precision(precision: str) -> Precision:
    return Precision("bfloat16") if precision == "auto" else Precision(precision)
