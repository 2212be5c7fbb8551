"""One window of sound to tokens: the loop, the searches it can use, and the rules that bind them."""
