"""What is said between Impasto's daemon and its clients, and a client that says it.

Needs nothing but pyzmq, msgpack and the standard library, so that it runs in the editor's own Python. The specification
is `docs/PROTOCOL.md`; `client` shows how to use it.
"""
