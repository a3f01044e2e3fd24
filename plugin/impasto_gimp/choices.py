"""What there is to choose from, with the words for it. Nothing is imported: the menu needs no more than this."""

__all__ = ["AUTO", "COLORS", "NETWORKS", "USUAL_COLOR", "USUAL_SIZE", "USUAL_STRENGTH"]

AUTO = "auto"
"""The network that is left to the daemon."""

NETWORKS = {AUTO: "Automatic", "lite": "lite: quick", "vgg16": "VGG16: faithful", "vgg19": "VGG19: faithful"}

COLORS = {"style": "Of the style", "luminance": "Of the layer", "match": "Of the style, matched to the layer's"}

USUAL_COLOR = "style"

USUAL_STRENGTH = 0.5

USUAL_SIZE = 512
"""Pixels of the longer side: seconds to a minute on an ordinary laptop."""
