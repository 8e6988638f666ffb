"""Coldlens: `streamlit run app.py`."""

from pages.shared.frame import run_app

run_app()
