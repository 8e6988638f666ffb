"""Age and gender can be switched off for ranking, in the sidebar, by a link, and for good by the settings."""


def titles(app):
    return [m.value for m in app.markdown if m.value.startswith("**") and m.value[2].isdigit()]


def texts(elements):
    return " ".join(element.value for element in elements)


def test_a_fact_that_is_off_changes_no_list(open_app):
    app = open_app(age="20", gender="F", interests=["space"], unused=["age", "gender"])
    before = titles(app)

    assert app.button_group(key="unused").value == ["age", "gender"]
    assert "Not used for ranking: age, gender" in texts(app.caption)
    app.select_slider(key="age").set_value("70").run()
    assert titles(app) == before
    app.button_group(key="unused").set_value([]).run()
    assert titles(app) != before
    assert "Not used for ranking" not in texts(app.caption)
    assert not app.exception


def test_what_is_no_fact_is_named(open_app):
    app = open_app(age="20", unused="shoes")

    assert "shoes" in texts(app.warning)
    assert app.button_group(key="unused").value == []


def test_what_the_settings_take_out_cannot_be_chosen(open_app, monkeypatch):
    monkeypatch.setenv("COLDLENS_UNUSED", "gender")

    app = open_app(age="20", gender="F")

    assert "Never used for ranking here: gender" in texts(app.caption)
    assert app.button_group(key="unused").options == ["age", "occupation"]
