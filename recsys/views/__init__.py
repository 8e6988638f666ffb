"""Views: one representation of an item each."""
