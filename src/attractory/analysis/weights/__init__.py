"""Connectivity, spectrum, audit: what the weights of one network are like."""
