"""A decoder's step in C, built on the user's machine where there is a compiler; torch does the same without it."""
