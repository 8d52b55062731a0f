"""Reliability as a loop: whatever fails, nothing that was finished is lost, and the same call goes on."""
