"""Labels of one's own: a project of articles, a page to code them on, selection, several coders, agreement.

`store` holds the project's file and its events, `ledger` what follows from them. `selection` and `queue` choose what to
label next, `learner` fits the model `behind` the page, `session` and `server` serve it. `agreement` measures how far
coders agree, `coding` reads what they said, `rows` gives the labels to everything else.
"""
