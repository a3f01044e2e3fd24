"""What a painting leaves in an image: layers, offsets, masks, pixels, precision, profile, recipe."""

from collections.abc import Callable

import pytest

from gimp.running import Gimp, Ran


def run(gimp: Gimp, script: str) -> Ran:
    """Runs a script, and makes sure that GIMP had nothing to complain about."""
    ran = gimp.run(script)
    assert ran.complaints == [], ran.output
    assert ran.told is not None, ran.output
    return ran


CONTENT_AGAIN = "size=0, evaluations=1, strength=0.0, color='luminance'"
"""Settings with which the painting is nearly the layer itself, so that its colours can be compared."""


@pytest.mark.parametrize("base", ["RGB", "GRAY"])
def test_a_layer_is_painted_into_a_new_one_above_it(gimp: Gimp, base: str) -> None:
    told = run(
        gimp,
        f"""
told = {{}}
for alpha in (True, False):
    image = new_image(base={base!r}); layer = new_layer(image, alpha=alpha); before = pixels(layer)
    status, error, painted = stylize(image, layer)
    told[str(alpha)] = [status, error, tree(image), pixels(layer) == before, pixels(painted), recipe(painted)]
    image.delete()
tell(told)
""",
    ).told
    for alpha in (True, False):
        status, error, layers, is_source_untouched, painted, recipe = told[str(alpha)]
        assert (status, error) == ("success", "success")
        assert [layer["name"] for layer in layers] == ["Swirl (strength 50%, 64 px, lite)", "source"]
        assert layers[0]["type"] == layers[1]["type"] == f"{base.lower()}{'a' if alpha else ''}-image"
        assert layers[0]["size"] == [96, 64]
        assert layers[0]["offsets"] == [0, 0]
        assert not layers[0]["mask"]
        assert is_source_untouched
        assert len({tuple(pixel) for pixel in painted}) > 100
        assert {pixel[3] for pixel in painted} == {255}
        assert recipe["network"]["name"] == "lite"
        assert len(recipe["network"]["weights"]["sha256"]) == 64
        assert recipe["evaluations"] == 6
        assert recipe["backend"].startswith("tensorflow ")
        assert recipe["settings"]["strength"] == 0.5
        assert recipe["losses"]["loss"] > 0


def test_a_feathered_selection_becomes_the_mask_of_a_layer_in_its_bounds(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
image = new_image(120, 90); layer = new_layer(image, at=(10, 5))
image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 20, 50, 40)
Gimp.Selection.feather(image, 8.0)
_, _, x1, y1, x2, y2 = Gimp.Selection.bounds(image)
selected = pixels(image.get_selection(), "Y' u8", (x1, y1, x2 - x1, y2 - y1))
status, error, painted = stylize(image, layer)
mask = painted.get_mask()
tell([status, error, describe(painted), [x1, y1, x2 - x1, y2 - y1], selected, pixels(mask, "Y' u8"),
      Gimp.Selection.is_empty(image)])
image.delete()
""",
    ).told
    status, error, painted, bounds, selected, mask, is_selection_gone = told
    assert (status, error) == ("success", "success")
    assert [*painted["offsets"], *painted["size"]] == bounds
    assert painted["mask"]
    assert mask == selected
    assert len({value for (value,) in mask}) > 20
    assert not is_selection_gone


def test_a_layer_in_a_group_is_painted_in_that_group_where_it_lies(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
image = new_image(200, 150)
group = Gimp.GroupLayer.new(image, "group"); image.insert_layer(group, None, 0)
below = new_layer(image, name="below", parent=group)
layer = new_layer(image, name="middle", at=(-20, 33), parent=group)
above = new_layer(image, name="above", parent=group)
image.set_selected_layers([layer])
status, error, painted = stylize(image, layer)
tell([status, error, tree(image), [each.get_name() for each in image.get_selected_layers()]])
image.delete()
""",
    ).told
    status, error, layers, selected = told
    assert (status, error) == ("success", "success")
    children = layers[0]["children"]
    assert [child["name"] for child in children] == ["above", "Swirl (strength 50%, 64 px, lite)", "middle", "below"]
    assert children[1]["offsets"] == [-20, 33]
    assert children[1]["size"] == [96, 64]
    assert selected == ["middle"]


def test_what_is_transparent_stays_transparent(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
image = new_image(); layer = new_layer(image)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 48, 64); layer.edit_clear(); Gimp.Selection.none(image)
status, error, painted = stylize(image, layer, size=0)
tell([status, error, [pixel[3] for pixel in pixels(painted)]])
image.delete()
""",
    ).told
    status, error, alpha = told
    assert (status, error) == ("success", "success")
    rows = [alpha[i : i + 96] for i in range(0, len(alpha), 96)]
    assert {value for row in rows for value in row[:47]} == {0}
    assert {value for row in rows for value in row[49:]} == {255}


@pytest.mark.parametrize(
    ("precision", "encoding"),
    [
        ("U8_NON_LINEAR", "R'G'B'A u8"),
        ("U16_NON_LINEAR", "R'G'B'A u16"),
        ("U16_LINEAR", "RGBA u16"),
        ("FLOAT_LINEAR", "RGBA float"),
        ("HALF_NON_LINEAR", "R'G'B'A half"),
    ],
)
def test_every_precision_keeps_its_colours(gimp: Gimp, precision: str, encoding: str) -> None:
    told = run(
        gimp,
        f"""
from gi.repository import Babl
image = new_image(precision={precision!r}); layer = new_layer(image); before = pixels(layer)
status, error, painted = stylize(image, layer, {CONTENT_AGAIN})
tell([status, error, before, pixels(painted), Babl.format_get_encoding(painted.get_format())])
image.delete()
""",
    ).told
    status, error, before, after, found = told
    assert (status, error, found) == ("success", "success", encoding)
    assert mean_difference(before, after) < 3.0


def mean_difference(before: list[list[int]], after: list[list[int]]) -> float:
    """Of the channels, in 8-bit steps, over all pixels."""
    total = sum(abs(a - b) for one, other in zip(before, after, strict=True) for a, b in zip(one, other, strict=True))
    return total / (len(before) * len(before[0]))


def test_more_than_eight_bits_are_painted_in_more_than_eight_bits(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
image = new_image(precision="U16_NON_LINEAR"); layer = new_layer(image)
status, error, painted = stylize(image, layer, size=0)
data = painted.get_buffer().get(Gegl.Rectangle.new(0, 0, 96, 64), 1.0, "R'G'B'A u16", Gegl.AbyssPolicy.CLAMP)
values = [int.from_bytes(data[i:i + 2], "little") for i in range(0, len(data), 2)]
tell(sum(value % 257 != 0 for value in values) / len(values))
image.delete()
""",
    ).told
    assert told > 0.5


def test_colours_survive_a_wide_profile_and_come_back(gimp: Gimp) -> None:
    told = run(
        gimp,
        f"""
image = new_image(); image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
layer = new_layer(image); before = pixels(layer); raw = pixels(layer, "R'G'B'A u8")
status, error, painted = stylize(image, layer, {CONTENT_AGAIN})
own = lambda each: list(each.get_buffer().get(Gegl.Rectangle.new(0, 0, 96, 64), 1.0, None, Gegl.AbyssPolicy.CLAMP))
tell([status, error, before, pixels(painted), own(layer), own(painted), image.get_color_profile().get_label()])
image.delete()
""",
    ).told
    status, error, before, after, own_before, own_after, label = told
    assert (status, error) == ("success", "success")
    assert "Adobe" in label or "adobe" in label.lower() or "RGB" in label
    assert mean_difference(before, after) < 3.0
    assert mean_difference([own_before], [own_after]) < 3.0
    assert mean_difference([own_before], [[value for pixel in before for value in pixel]]) > 3.0


def test_the_picture_lies_where_the_layer_does_to_the_pixel(gimp: Gimp) -> None:
    told = run(
        gimp,
        f"""
image = new_image(); layer = new_layer(image)
Gimp.context_set_foreground(Gegl.Color.new("white")); layer.edit_fill(Gimp.FillType.FOREGROUND)
Gimp.context_set_foreground(Gegl.Color.new("black"))
image.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 10, 20, 40); layer.edit_fill(Gimp.FillType.FOREGROUND)
Gimp.Selection.none(image)
status, error, painted = stylize(image, layer, {CONTENT_AGAIN})
tell([status, [[sum(pixel[:3]) // 3 for pixel in pixels(painted, rectangle=(x, y, 1, 1))] for x, y in
      ((58, 30), (61, 30), (78, 30), (82, 30), (70, 8), (70, 11), (70, 48), (70, 52))]])
image.delete()
""",
    ).told
    assert told[0] == "success"
    assert [value[0] > 128 for value in told[1]] == [True, False, False, True, True, False, False, True]


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(1, 1, 64), (1, 300, 64), (6000, 4000, 512)],
    ids=["1x1", "1x300", "24 megapixels"],
)
def test_the_smallest_and_the_largest_are_painted_to_their_size(gimp: Gimp, width: int, height: int, size: int) -> None:
    told = run(
        gimp,
        f"""
image = new_image({width}, {height}); layer = new_layer(image, {width}, {height})
status, error, painted = stylize(image, layer, size={size}, evaluations=4)
corner = pixels(painted, rectangle=({width} - 1, {height} - 1, 1, 1))
tell([status, error, describe(painted), corner, pixels(painted, rectangle=(0, 0, 1, 1))])
image.delete()
""",
    ).told
    status, error, painted, last, first = told
    assert (status, error) == ("success", "success")
    assert painted["size"] == [width, height]
    assert first[0][3] == last[0][3] == 255


def test_previews_are_kept_as_layers_of_a_group(gimp: Gimp) -> None:
    told = run(
        gimp,
        """
image = new_image(); layer = new_layer(image)
status, error, painted = stylize(image, layer, size=96, evaluations=60, keep_every=1)
tell([status, error, tree(image), recipe(painted) is not None])
image.delete()
""",
    ).told
    status, error, layers, has_recipe = told
    assert (status, error) == ("success", "success")
    assert [layer["name"] for layer in layers] == ["Swirl (strength 50%, 96 px, lite)", "source"]
    live, *kept = layers[0]["children"]
    assert kept
    assert live["visible"]
    assert has_recipe
    assert all("evaluation" in each["name"] and not each["visible"] for each in kept)
    evaluations = [int(each["name"].split("evaluation ")[1].split("#")[0].split()[0]) for each in kept]
    assert evaluations == sorted(evaluations, reverse=True)


def test_the_style_may_be_a_file_or_a_layer_of_any_image(gimp: Gimp) -> None:
    told = run(
        gimp,
        f"""
image = new_image(); layer = new_layer(image)
other = new_image(50, 40, base="GRAY"); style = new_layer(other, 50, 40, name="a style")
status, error, painted = stylize(image, layer, style_layer=style)
told = [[status, error, painted.get_name(), recipe(painted)["gimp"]["style"]["kind"]]]
told.append([recipe(painted)["gimp"]["style"]["tattoo"], *call("plug-in-impasto-repeat", image, [painted])[:2]])
file = Gio.File.new_for_path({str(gimp.plugin / "styles" / "ink.jpg")!r})
status, error, painted = stylize(image, layer, style_file=file)
told.append([status, error, painted.get_name(), recipe(painted)["styles"][0]["file"]["absolute"]])
count = len(Gimp.get_images())
image.delete(); other.delete()
tell([told, count])
""",
    ).told
    (by_layer, (tattoo, repeated, why_not), by_file), images = told
    assert by_layer == ["success", "success", "a style (strength 50%, 64 px, lite)", "layer"]
    assert (tattoo, repeated) == (0, "execution-error")  # the number may be another layer's in this image
    assert "is not in this image" in why_not
    assert by_file[:3] == ["success", "success", "ink (strength 50%, 64 px, lite)"]
    assert by_file[3].endswith("/styles/ink.jpg")
    assert images == 2


REFUSALS = {
    "indexed": ("image.convert_indexed(0, 0, 8, False, False, '')", {}, "convert it with Image ▸ Mode ▸ RGB"),
    "no-picture": ("", {"style_file": "Gio.File.new_for_path(__import__('scripting').__file__)"}, "another picture"),
    "mask": ("layer.add_mask(layer.create_mask(0)); layer = layer.get_mask()", {}, "select a layer"),
    "outside": ("image.select_rectangle(0, 150, 0, 10, 10)", {}, "lies outside the layer"),
    "network": ("", {"network": "'vgg16'"}, "vgg16"),
}


@pytest.mark.parametrize(("prepare", "arguments", "why"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_painted_is_refused_with_a_remedy_and_leaves_nothing(
    new_gimp: Callable[..., Gimp], prepare: str, arguments: dict[str, str], why: str
) -> None:
    given = "".join(f", {name}={value}" for name, value in arguments.items())
    ran = new_gimp(http_proxy="http://127.0.0.1:9").run(
        f"""
image = new_image(200, 64); layer = new_layer(image)
{prepare}
images = len(Gimp.get_images())
status, error, painted = stylize(image, layer{given})
tell([status, error, len(tree(image)), len(Gimp.get_images()) - images])
image.delete()
"""
    )
    status, error, layers, more_images = ran.told
    assert status == "execution-error"
    assert why in error
    assert (layers, more_images) == (1, 0)
    assert [line for line in ran.complaints if "stray image" in line or "CRITICAL" in line] == []
