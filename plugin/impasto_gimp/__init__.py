"""Impasto inside GIMP 3: procedures, dialogs, and the canvas a painting appears on.

Runs in GIMP's own Python: gi, the standard library and `impasto_protocol`, nothing else; no NumPy. Modules that import
gi are few and say so in their first lines; everything else can be tested without GIMP. libgimp is called from the main
thread only, and the network is waited for in `courier`'s thread only.
"""
