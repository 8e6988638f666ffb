"""The names of columns, and what counts as a like."""

ITEM_ID, USER_ID = "item_id", "user_id"
TITLE, DESCRIPTION, CATEGORIES, YEAR = "title", "description", "categories", "year"
AGE, GENDER = "age", "gender"
RATING, TIMESTAMP = "rating", "timestamp"
PRICE, IMAGE, AUDIO = "price", "image", "audio"
HEAD, RELATION, TAIL = GRAPH_COLUMNS = ("head", "relation", "tail")
ITEM_ROLES = (ITEM_ID, TITLE, DESCRIPTION, CATEGORIES, YEAR, PRICE, IMAGE, AUDIO)
USER_ROLES = (USER_ID, AGE, GENDER)
LIKED_FROM = 4.0
"""A rating from here on counts as a like, unless the dataset says otherwise; an interaction without a rating always does."""
MOST_VALUES = 200
"""Values of a column up to which it is offered as an attribute to choose from."""
