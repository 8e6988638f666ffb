"""Several analysts at once, by Streamlit's own protocol; the full size is measured by `python -m tests.load.crowd`."""

from tests.load.crowd import gather


def test_nobody_sees_what_another_one_types(server, visitor):
    visitor.open("/")

    found = gather(server.url, server.pid, n_sessions=8, n_reruns=4)

    assert found.errors == []
    assert (len(found.first), len(found.reruns)) == (8, 32)
    assert (found.lost, found.foreign) == (0, 0)
