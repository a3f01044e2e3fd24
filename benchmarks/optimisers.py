"""The loss that each optimiser reaches with equally many evaluations, and the seconds it takes.

    python benchmarks/optimisers.py CONTENT:STYLE... [--network vgg16] [--size 256] [--evaluations 100]

The optimisers take turns on each pair, in one process. The loss is that of the network that paints.
"""

import argparse
import time
from pathlib import Path

from impasto_engine import Settings, Style, load_network, paint, read_picture
from impasto_engine.optimisers import DEVICE, HOST

OPTIMISERS = ("scipy", HOST, DEVICE)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+")
    parser.add_argument("--network", default="vgg16")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--evaluations", type=int, default=100)
    arguments = parser.parse_args()
    network = load_network(arguments.network)
    print(f"| pair | {' | '.join(f'{name} | s' for name in OPTIMISERS)} | {DEVICE} / scipy |")
    print("|---|" + "---:|" * (2 * len(OPTIMISERS) + 1))
    for pair in arguments.pairs:
        content, style = (read_picture(path).pixels[..., :3] for path in pair.split(":"))
        losses, seconds = {}, {}
        for name in OPTIMISERS:
            settings = Settings(size=arguments.size, evaluations=arguments.evaluations, optimizer=name)
            began = time.monotonic()
            painting = paint(content, [Style(pixels=style)], network, settings)
            losses[name], seconds[name] = painting.losses.loss, time.monotonic() - began
        cells = " | ".join(f"{losses[name]:.1f} | {seconds[name]:.1f}" for name in OPTIMISERS)
        names = ", ".join(Path(path).stem for path in pair.split(":"))
        print(f"| {names} | {cells} | {losses[DEVICE] / losses['scipy']:.3f} |", flush=True)


if __name__ == "__main__":
    main()
