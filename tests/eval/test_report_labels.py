"""Labels of plots keep apart, stay near, and stay inside."""

from hypothesis import given
from hypothesis import strategies as st

from hipporag_like.eval.report_style import clipped, label_boxes, spread

VALUES = st.lists(st.floats(0, 100), min_size=1, max_size=9)


@given(VALUES)
def test_places_keep_apart_in_order_and_inside(values):
    places = spread(values, 5.0, 0.0, 100.0)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in places)
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    for lower, higher in zip(order, order[1:], strict=False):
        assert places[higher] - places[lower] >= 5.0 - 1e-6


def test_places_are_the_nearest_ones():
    assert spread([10, 50, 90], 5, 0, 100) == [10, 50, 90]
    assert spread([50, 50], 4, 0, 100) == [48, 52]  # both give way by the same
    assert spread([99, 100], 10, 0, 100) == [90, 100]
    assert spread([3, 1, 2], 1, 0, 100) == [3, 1, 2]


def test_labels_take_the_first_free_side_within_the_plot():
    right, left = label_boxes([(20, 50), (90, 50)], [(30, 8), (30, 8)], 100)
    assert right == (27, 46, 57, 54)
    assert left[2] < 90  # right of it the plot ends
    boxes = label_boxes([(50, 50), (52, 52), (48, 47)], [(20, 8)] * 3, 100)
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_a_long_name_keeps_both_ends():
    assert clipped("short") == "short"
    assert clipped("embedder-large-v1 ", 9) == "embe…-v1 "
    assert len(clipped("x" * 99)) == 15
    assert clipped("a\x00b") == "a b"
