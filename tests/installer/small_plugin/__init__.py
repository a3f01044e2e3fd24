"""The least of a plug-in: it registers and answers. It stands for the real one where that does not matter."""
