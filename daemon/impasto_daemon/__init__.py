"""The `impasto` command.

Nothing here knows how a picture is painted: that is `impasto_engine`, which is imported only once a command
needs it, so that `impasto --help` answers at once.
"""
