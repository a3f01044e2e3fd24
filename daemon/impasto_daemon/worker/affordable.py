"""Whether a painting keeps within its memory budget, looked at in tiles as small as need be. Imported after Keras."""

from impasto_daemon.commands.wording import memory, sides
from impasto_engine.cost import estimate
from impasto_engine.networks.network import Network
from impasto_engine.settings import Settings
from impasto_protocol.errors import InvalidOrderError
from impasto_protocol.orders import Order

__all__ = ["check_affordable"]


def check_affordable(
    order: Order, network: Network, polisher: Network | None, settings: Settings, budget_bytes: int
) -> None:
    """Refuses what would take more than the budget even in the smallest tiles.

    Raises:
        InvalidOrderError: It would.
    """
    form = order.content.format
    needed = estimate(
        form.height,
        form.width,
        network,
        settings,
        polisher=polisher,
        styles=len(order.styles),
        memory_budget_bytes=budget_bytes,
    )
    if needed.memory_bytes > budget_bytes:
        raise InvalidOrderError(
            f"A painting of {sides(needed.height, needed.width)} takes {memory(needed.memory_bytes)} at the least, and "
            f"the memory budget is {memory(budget_bytes)}; paint it smaller, or give a larger budget.",
            field="order.memory_budget_bytes",
        )
