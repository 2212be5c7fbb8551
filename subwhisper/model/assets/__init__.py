"""Data shipped with the package: OpenAI's two public merge tables (MIT, see NOTICE), xz-compressed.

`gpt2.tiktoken` serves the English-only models, `multilingual.tiktoken` all others. Each line is a
base64 piece and its rank. They are only needed for `.pt` files, which carry no vocabulary.
"""
