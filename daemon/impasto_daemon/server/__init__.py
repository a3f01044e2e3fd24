"""The daemon's server process: sockets, sessions, jobs and their journal.

Nothing here may import the engine, NumPy, Keras or what lies under it: the server is up at once, and stays responsive
whatever the painting process does.
"""
