"""A dataset of vectors alone on the pages: opened without an encoder, with what is off said and why."""

import time

import numpy as np
import pytest
import streamlit as st

from recsys.datasets.importing import VectorFiles, import_files

N = 300


@pytest.fixture
def open_vectors(open_app, tmp_path, monkeypatch):
    """Runs a page on vectors whose encoder is not known; whoever opens an encoder fails."""

    def refuse(*_, **__):
        raise AssertionError("an encoder was opened")

    for place in ("pages.shared.resources", "recsys.encoder.opening", "recsys.diagnostics.encoders"):
        monkeypatch.setattr(f"{place}.open_encoder", refuse)
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((N, 16)) * rng.uniform(1, 5, (N, 1))
    np.save(tmp_path / "v.npy", vectors.astype(np.float32))

    def run(page="explore", similarity="cosine", state=(), **params):
        files = VectorFiles(tmp_path / "v.npy", similarity=similarity)
        import_files([], "vectors", data_dir=tmp_path / "data", vectors=files, replace=True)
        app = open_app(tmp_path / "data", "vectors", **params)
        app.switch_page(f"pages/{page}.py")
        for key, value in dict(state).items():
            app.session_state[key] = value
        return app.run()

    return run


def told(app):
    return " ".join(element.value for element in (*app.caption, *app.info, *app.warning, *app.markdown)).replace(
        "\\", ""
    )


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_explore_shows_a_map_and_says_by_what(open_vectors, similarity):
    app = open_vectors(similarity=similarity)

    assert not app.exception and not app.error
    assert len(app.get("plotly_chart")) == 1
    assert "This is a preview" in told(app)
    assert f"Similarity: {similarity}, lengths" in told(app)
    assert "It is not known which encoder made them, so interests are off" in told(app)
    [space] = [box for box in app.selectbox if box.key == "map_space"]
    assert space.options == ["The vectors that came along (by angle)"]


def test_interests_cannot_be_typed_and_the_form_says_why(open_vectors):
    app = open_vectors("recommend", interests=["space"], liked=["007"])

    [field] = [box for box in app.multiselect if box.key == "interests"]
    assert field.disabled and "it is not known which encoder made the vectors" in field.help
    assert "interests cannot be compared with them and count for nothing" in told(app)
    assert "Zero-shot: compares vectors with those of liked items, learns nothing." in told(app)
    assert "similarity to the liked items" in told(app)
    assert "Its vector is close to that of 007" in told(app)
    assert "vectors that came with the dataset · similarity: cosine" in told(app)


def test_explain_adds_up_without_a_word(open_vectors):
    app = open_vectors("explain", state={"explain_tab": "Words"}, liked=["007", "011"])

    assert not app.exception and not app.error
    assert "No words are read, as it is not known what made the vectors: whole parts meet whole vectors." in told(app)
    assert "Shapley values of words" not in told(app)


def test_the_diagnosis_is_about_the_vectors(open_vectors):
    app = open_vectors(similarity="dot", state={"explore_tab": "Diagnosis"})

    assert not app.exception and not app.error
    titles = " ".join(box.label for box in app.expander)
    assert "Lengths of the vectors" in titles and "text" not in titles
    assert "scores twice as high" in told(app)


def test_two_sets_of_vectors_are_compared(open_vectors, tmp_path):
    app = open_vectors(state={"explore_tab": "Two encoders"})
    app.radio(key="other_encoder").set_value("Another encoder: name or folder; or a file of vectors")
    app.text_input(key="other_encoder_name").set_value(str(tmp_path / "v.npy"))

    app.button(key="FormSubmitter:encoders-Compare").click().run()

    assert not app.exception and not app.error
    assert {metric.label: metric.value for metric in app.metric}["Nearest ten shared"] == "100\u00a0%"


@pytest.mark.release
def test_ten_thousand_vectors_open_within_five_seconds(open_vectors, open_app, tmp_path):
    """Of the processor, which other work on the machine does not stretch; nothing is kept from before, and nothing is warm."""
    open_vectors()
    vectors = np.random.default_rng(1).standard_normal((10_000, 384)).astype(np.float32)
    np.save(tmp_path / "v.npy", vectors)
    files = VectorFiles(tmp_path / "v.npy")
    import_files([], "vectors", data_dir=tmp_path / "data", vectors=files, replace=True)
    app = open_app(tmp_path / "data", "vectors")
    app.switch_page("pages/explore.py")
    st.cache_resource.clear()

    started = time.process_time()
    app.run()
    spent = time.process_time() - started

    assert not app.exception and len(app.get("plotly_chart")) == 1
    assert spent < 5, f"{spent:.1f} s"
