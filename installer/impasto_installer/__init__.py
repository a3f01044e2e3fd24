"""Getting Impasto onto a machine: into every GIMP on it, up at login, and well again when something is wrong.

Imports `impasto_protocol` and no other package of ours: what the engine knows of this machine comes from whoever calls.
"""
