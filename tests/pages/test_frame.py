"""The frame draws on the page, whatever ran before it in the same thread."""

from streamlit.testing.v1 import AppTest

from pages.shared import frame


def after_a_fragment():
    import streamlit as st
    from streamlit.delta_generator_singletons import context_dg_stack

    from pages.shared.frame import run_app

    inside = st.sidebar.container()
    context_dg_stack.set((*context_dg_stack.get(), inside))  # as a fragment's run leaves it
    run_app()


class Drawn:
    def run(self):
        import streamlit as st

        st.title("A page")


def test_a_run_after_a_fragment_is_not_drawn_inside_it(monkeypatch):
    monkeypatch.setattr(frame, "_navigation", Drawn)
    monkeypatch.setattr(frame, "_framed", lambda: None)

    app = AppTest.from_function(after_a_fragment).run()

    assert not app.exception
    assert [title.value for title in app.main.title] == ["A page"]
    assert not app.sidebar.title
