"""The network and its weights. Knows tensors and files of tensors; nothing of sound or subtitles."""
