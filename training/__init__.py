"""How the embedded network is made: distilled from VGG16. See README.md in this folder."""
