"""The painting process: the only place with tensors. It paints what the server asks for, and knows of no sockets.

Only `engine_studio` and `pictures` import the engine, and they are imported in the painting process only.
"""
