"""A daemon with the fake studio in a process of its own: `run_daemon.py CONNECTION_FILE`."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from daemon.fake_studio import ALWAYS, open_fake
from impasto_daemon.server.daemon import Daemon
from impasto_daemon.server.errors import AlreadyRunningError
from impasto_daemon.server.worker_painter import WorkerPainter


async def serve(path: Path) -> None:
    daemon = Daemon(connection_file=path, painter=WorkerPainter(open_fake, cadence=ALWAYS))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, daemon.stop)
    daemon.on_ready = lambda connection: print(connection.pid, flush=True)
    await daemon.run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)  # nobody may be reading what is said
    try:
        asyncio.run(serve(Path(sys.argv[1])))
    except AlreadyRunningError as error:
        sys.exit(str(error))
