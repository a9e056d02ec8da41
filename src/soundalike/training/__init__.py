"""From a recipe to an encoder.

recipe.py             TOML -> the settings of the rooms below, by way of typed_toml.py
sources.py            music -> what two views may be drawn from, decoded once
pairs.py              sources -> batches of views; view_bank.py keeps views to draw from again
contrast.py           the contrastive objective
artist_classifier.py  the supervised baseline
teacher.py            what a freely licensed network heard, as a second target
trainer.py            the loop; state.py keeps it, curves.py draws it, distributed.py shares it
run.py                all of it: a recipe and a folder -> a trained model
"""
