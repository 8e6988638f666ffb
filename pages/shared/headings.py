"""What the columns of tables are called; the code speaks of them in English, and files for download keep that."""

HEADINGS = (
    "item", "item_id", "title", "what happens", "rank for A", "rank for B", "score for A", "score for B", "mostly because of",
    "part", "adds", "contribution", "score without it", "raw score without it", "rank without it", "rank", "score", "edit",
    "fact", "value", "cosine", "place on the map", "likes", "group", "in nearest ten of", "true neighbours kept", "categories",
    "category", "items", "neighbours shared", "groups", "share that both see", "top first (rank-biased)", "mean", "people",
    "share", "everyone else", "difference", "told apart", "later likes of each", "would be seen from", "what", "shown to them",
    "shown to everyone else", "shown differently", "liked later by them", "beyond taste", "same of the first 10",
    "category that changes most", "its exposure ratio", "flag", "severity", "file", "row", "column", "what is wrong",
    "what to do", "view", "95 % from", "to", "level", "asked", "with it", "without it", "method", "better by", "measure", "is",
    "liked later", "run", "scorer", "seconds", "at", "rank before", "rank after", "lists", "how many", "different items",
    "what everybody gets", "best score", "dead zone", "why", "the text that BERT encodes", "then", "now", "year", "price",
    "age", "gender", "users", "interactions", "graph", "probability", "direction", "share of variance", "in the nearest ten of", 
    "hub",
    "cosine to the nearest ten", "silhouette",
    "mean score", "characters", "word", "words",
)  # fmt: skip
