"""Model files that are cut off, damaged, too large, newer, or written by somebody else."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shelfwise.demand.panel import Panel
from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.persistence import ModelFileError, NotSavable, describe, load, save
from shelfwise.forecast.persistence.archive_reader import ArchiveReader
from shelfwise.forecast.persistence.archive_writer import ArchiveWriter
from shelfwise.forecast.persistence.file_format import HEADER, TREE
from shelfwise.forecast.persistence.foreign import FOREIGN
from shelfwise.forecast.persistence.tree_reader import TreeReader
from shelfwise.forecast.persistence.tree_writer import TreeWriter
from shelfwise.messages import Said

PANEL = Panel.from_arrays(np.random.default_rng(0).poisson(5, (6, 60)))


@pytest.fixture(scope="module")
def model() -> MovingAverage:
    return MovingAverage().fit(PANEL)


@pytest.fixture(scope="module")
def body(model, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("kept") / "shop.model"
    save(model, path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("spoilt") / "shop.model"


def members(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def signed(parts: dict[str, bytes], path: Path) -> Path:
    """As a stranger would who knows how the digest is made: everything fits but what is in it."""
    header = {name: value for name, value in json.loads(parts[HEADER]).items() if name != "digest"}
    whole = blake2b(digest_size=16)
    for name in sorted(parts.keys() - {HEADER}):
        whole.update(f"{name}:{len(parts[name])}\n".encode() + parts[name])
    whole.update(json.dumps(header, sort_keys=True).encode())
    told = json.dumps({**header, "digest": whole.hexdigest()}).encode()
    return zipped({**parts, HEADER: told}, path)


def with_tree(body: bytes, path: Path, change: Callable[[Any], Any]) -> Path:
    parts = members(body)
    parts[TREE] = json.dumps(change(json.loads(parts[TREE]))).encode()
    return signed(parts, path)


def loaded_or_told(path: Path) -> tuple[Any, str]:
    """The model, or what was said instead; anything but an error of ours fails the test."""
    try:
        return load(path), ""
    except ShelfwiseError as error:
        return None, str(error)


def drawn(model: Any) -> bytes:
    return model.sample(3, 20, np.random.default_rng(0)).paths.tobytes()


def test_signed_anew_it_loads(body, model, spoilt):
    assert drawn(load(signed(members(body), spoilt))) == drawn(model)


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_cut_off_anywhere_it_is_refused(share, body, spoilt):
    spoilt.write_bytes(body[: int(share * len(body))])
    for read in (load, describe):
        with pytest.raises(ModelFileError, match=r"cut off or damaged|not a Shelfwise model"):
            read(spoilt)


@settings(max_examples=150, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_with_a_byte_changed_it_is_refused_or_unharmed(share, flip, body, model, spoilt):
    at = int(share * len(body))
    spoilt.write_bytes(body[:at] + bytes([body[at] ^ flip]) + body[at + 1 :])
    again, told = loaded_or_told(spoilt)
    # Not every byte of a zip matters, dates and attributes of members do not.
    assert str(spoilt) in told or drawn(again) == drawn(model)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_tree_of_a_strangers_never_throws_anything_but_our_errors(data, body, model, spoilt):
    def change(tree: Any) -> Any:
        nodes = tree["nodes"]
        at = data.draw(st.integers(0, len(nodes) - 1))
        junk = st.recursive(
            st.none() | st.integers(-3, 300) | st.text(max_size=4) | st.just({"ref": at}),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["ref", "tuple", "array", "dict", "object", "set"]), inner, max_size=1
                )
            ),
            max_leaves=4,
        )
        nodes[at] = data.draw(junk)
        return tree

    again, told = loaded_or_told(with_tree(body, spoilt, change))
    assert str(spoilt) in told or again is not None


def test_a_newer_format_says_what_to_install(body, spoilt):
    parts = members(body)
    header = json.loads(parts[HEADER])
    parts[HEADER] = json.dumps({**header, "version": 2, "shelfwise": "9.1"}).encode()
    zipped(parts, spoilt)
    for read in (load, describe):
        with pytest.raises(
            ModelFileError, match=r"Shelfwise 9\.1 in format 2; this one reads up to format 1\. Install"
        ):
            read(spoilt)


def test_a_class_nobody_knows_is_named(body, spoilt):
    def change(tree: Any) -> Any:
        next(node for node in tree["nodes"] if node.get("object") == "MovingAverage")["object"] = "os.system"
        return tree

    with pytest.raises(ShelfwiseError, match=r"'os\.system', which is unknown here.*Install that version"):
        load(with_tree(body, spoilt, change))


def test_another_version_of_a_class_is_named(body, spoilt):
    def change(tree: Any) -> Any:
        next(node for node in tree["nodes"] if node.get("object") == "Panel")["version"] = 7
        return tree

    with pytest.raises(ShelfwiseError, match=r"Panel was saved in version 7 and is version 1 here"):
        load(with_tree(body, spoilt, change))


def test_other_fields_than_ours_are_named(body, spoilt):
    def change(tree: Any) -> Any:
        state = next(node for node in tree["nodes"] if node.get("object") == "Panel")["state"]
        state["weather"] = state.pop("sold")
        return tree

    with pytest.raises(ShelfwiseError, match=r"Panel is made of other fields here \(sold, weather\)"):
        load(with_tree(body, spoilt, change))


def test_a_field_the_file_does_not_know_yet_takes_its_default(body, spoilt):
    def change(tree: Any) -> Any:
        next(node for node in tree["nodes"] if node.get("object") == "Panel")["state"].pop("observed")
        return tree

    assert load(with_tree(body, spoilt, change)).panel.observed == {}


def test_a_panel_that_does_not_fit_together_is_refused(body, spoilt):
    def change(tree: Any) -> Any:
        state = next(node for node in tree["nodes"] if node.get("object") == "Panel")["state"]
        state["sold"] = state["launched"]
        return tree

    with pytest.raises(ShelfwiseError, match="sold, on_sale, demand must be"):
        load(with_tree(body, spoilt, change))


def test_another_version_of_a_library_it_hangs_on_is_refused(body, spoilt):
    parts = members(body)
    header = json.loads(parts[HEADER])
    parts[HEADER] = json.dumps({**header, "libraries": {"statsforecast": "1.0.0"}}).encode()
    with pytest.raises(ShelfwiseError, match=r"Install statsforecast==1\.0\.0, or fit the model again"):
        load(signed(parts, spoilt))


def test_nothing_pickled_is_ever_read(body, spoilt):
    class Trap:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("code from a file was run",))

    parts = members(body)
    name = next(name for name in parts if name.endswith(".npy"))
    head = BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    parts[name] = head.getvalue() + pickle.dumps(np.array([Trap()], dtype=object))
    with pytest.raises(ModelFileError, match="holds objects"):
        load(signed(parts, spoilt))


def test_an_array_that_lies_about_its_length_takes_no_memory(body, spoilt):
    parts = members(body)
    name = next(name for name in parts if name.endswith(".npy"))
    head = BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**13,)})
    parts[name] = head.getvalue() + bytes(64)
    with pytest.raises(ModelFileError, match="not as long as it says"):
        load(signed(parts, spoilt))


def test_a_small_file_that_unpacks_to_more_than_there_is_room_for(body, spoilt, monkeypatch):
    size = sum(map(len, members(body).values()))
    spoilt.write_bytes(body)
    with pytest.raises(ModelFileError, match=r"unpacks to .* max_bytes or set SHELFWISE_MAX_FILE_BYTES"):
        load(spoilt, max_bytes=size - 1)
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", str(size - 1))
    with pytest.raises(ModelFileError, match=r"unpacks to"):
        load(spoilt)
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", str(size))
    assert load(spoilt).name == "moving_average"


def test_a_bomb_is_told_by_what_it_claims(body, spoilt):
    parts = members(body)
    zipped({**parts, "9999999.txt": bytes(50 << 20)}, spoilt)
    assert spoilt.stat().st_size < 1 << 20
    with pytest.raises(ModelFileError, match=r"unpacks to 5\d,\d{3},\d{3} bytes"):
        load(spoilt, max_bytes=1 << 20)


def test_a_member_larger_than_it_claims_is_refused(body, spoilt):
    # The size in the zip's list is what memory is reckoned by, so a file that lies there must not get through.
    name = next(name for name in members(body) if name.endswith(".npy")).encode()
    at = body.rindex(name) - 46 + 24
    size = struct.unpack("<I", body[at : at + 4])[0]
    spoilt.write_bytes(body[:at] + struct.pack("<I", size - 8) + body[at + 4 :])
    with pytest.raises(ModelFileError, match="damaged"):
        load(spoilt)


@pytest.mark.parametrize(
    "content", [b"", b"sku,date\n", pickle.dumps({"model": 1}), b"PK\x05\x06" + bytes(18)]
)
def test_what_is_no_model_is_said_to_be_none(content, spoilt):
    spoilt.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"not a Shelfwise model|cut off or damaged"):
        load(spoilt)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="no model file"):
        load(tmp_path)


def test_a_member_too_many_or_too_few_is_told(body, spoilt):
    parts = members(body)
    with pytest.raises(ModelFileError, match="digest"):
        load(zipped({**parts, "0000099.txt": b"hello"}, spoilt))
    name = next(name for name in parts if name.endswith(".npy"))
    with pytest.raises(ModelFileError, match="digest"):
        load(zipped({key: content for key, content in parts.items() if key != name}, spoilt))


def test_a_file_that_holds_no_forecaster_is_told(body, spoilt):
    with pytest.raises(ModelFileError, match="holds a list and no forecaster"):
        load(with_tree(body, spoilt, lambda tree: {"root": {"ref": 0}, "nodes": [{"list": []}]}))


def test_a_failed_save_leaves_the_old_file(model, tmp_path):
    save(model, tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()
    spoilt = MovingAverage().fit(PANEL)
    spoilt.extra = object()
    with pytest.raises(NotSavable):
        save(spoilt, tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


# --- the tree alone -----------------------------------------------------------------------------------------------


def there_and_back(value: Any, folder: Path) -> Any:
    with (folder / "value").open("wb") as out, ArchiveWriter(out) as archive:
        writer = TreeWriter(archive)
        archive.finish(writer.write(value), {"format": "shelfwise model", "version": 1, "libraries": {}})
    return TreeReader(ArchiveReader(folder / "value")).read()


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=20)
    | st.complex_numbers(allow_nan=False)
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(
            st.text(max_size=5) | st.tuples(st.integers(), st.text(max_size=3)), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(value=PLAIN)
def test_plain_values_come_back_with_their_types(value, spoilt):
    again = there_and_back(value, spoilt.parent)
    assert again == value
    assert repr(again) == repr(value)


@settings(max_examples=100, deadline=None)
@given(
    values=hnp.arrays(
        hnp.scalar_dtypes() | hnp.unicode_string_dtypes(),
        hnp.array_shapes(min_dims=0, min_side=0, max_dims=3),
    ),
    axes=st.permutations([0, 1, 2]),
)
def test_arrays_come_back_bit_for_bit_and_laid_out_alike(values, axes, spoilt):
    turned = values.transpose([axis for axis in axes if axis < values.ndim])
    for given_array in (turned, turned[::2] if turned.ndim else turned):
        again = there_and_back(given_array, spoilt.parent)
        assert again.dtype == given_array.dtype
        assert again.shape == given_array.shape
        assert again.tobytes() == given_array.tobytes()
        if given_array.flags.c_contiguous or given_array.flags.f_contiguous:
            assert again.flags.f_contiguous == given_array.flags.f_contiguous or min(given_array.shape) <= 1
    assert again.flags.writeable


@pytest.mark.parametrize(
    "value",
    [
        np.float32(1.5),
        np.int8(-3),
        np.bool_(True),
        np.datetime64("2024-01-01"),
        np.str_("茶"),
        float("nan"),
        -0.0,
        1e22,
        2**70,
        "\udcff",
        range(3, 9, 2),
        Said("forecast.stand_in", count=2, reason=Said("forecast.no_history")),
        {1, 2},
        frozenset({("a", 1)}),
        date(2024, 1, 1),
        "long " * 1000,
        {np.int64(3): "three"},
        np.array(["a", None, 3], dtype=object),
    ],
    ids=repr,
)
def test_odd_values(value, tmp_path):
    again = there_and_back([value], tmp_path)[0]
    assert type(again) is type(value)
    assert repr(again) == repr(value)


def test_one_object_met_twice_is_one_object(tmp_path):
    shared = [1, 2]
    array = np.arange(1000)
    value = {"a": shared, "b": (shared, array), "c": array, "d": array.copy()}
    value["me"] = value
    again = there_and_back(value, tmp_path)
    assert again["a"] is again["b"][0]
    assert again["c"] is again["b"][1]
    assert again["me"] is again
    # Equal, but another array: written once, and each its own again.
    assert again["d"] is not again["c"]
    again["d"][0] = 7
    assert again["c"][0] == 0
    assert len(ArchiveReader(tmp_path / "value")._arrays) == 1


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": [1, None, 3], "b": ["x", None, "茶"], "c": [1.5, float("nan"), None]}),
        pl.DataFrame({"flag": [True, None], "day": [date(2024, 1, 1), None], "nothing": [None, None]}),
        pl.DataFrame({"kind": ["b", "a", None]}, schema={"kind": pl.Categorical}),
        pl.DataFrame({"small": [1, 2]}, schema={"small": pl.UInt8}).clear(),
    ],
    ids=["empty", "usual", "flags and days", "categories", "no rows"],
)
def test_frames_come_back(frame, tmp_path):
    again = there_and_back(frame, tmp_path)
    assert again.schema == frame.schema
    assert again.equals(frame, null_equal=True)


def test_a_column_of_another_type_is_named():
    with pytest.raises(ShelfwiseError, match=r"column 'weight'.*Decimal.*cast it to text or to a number"):
        FOREIGN["polars.DataFrame"].parts(pl.DataFrame({"weight": [Decimal("1.5")]}))
