"""`python -m impasto_daemon` is the `impasto` command."""

from impasto_daemon.commands import main

if __name__ == "__main__":  # the painting process imports this module, too
    main()
