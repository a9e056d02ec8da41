"""From a recipe to an encoder.

recipe.py             TOML -> the settings of the rooms below
pairs.py              tracks -> batches of views
trainer.py            the loop
artist_classifier.py  the supervised baseline
teacher.py            what a freely licensed network heard, as a second target
scores.py             scores -> arrangements of the same passage, rendered
"""
