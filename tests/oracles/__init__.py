"""Reference implementations in NumPy and float64, for the tests to hold the engine against.

Written from the published formulas and from `design/ENGINE.md`, slow and plain, with hand-written gradients, which
`tests/engine/test_oracle.py` checks against finite differences. Nothing of the engine may be imported here.
"""
