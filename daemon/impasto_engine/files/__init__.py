"""Picture files in and out, at full depth, with profile, EXIF, alpha and the recipe they were painted with.

`picture_file` is the way in; the other modules serve it. Nothing here knows how a picture is painted.
"""
