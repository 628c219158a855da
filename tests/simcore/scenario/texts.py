"""Scenario texts the tests share."""

COMMENTED = """\
# What this shows: a machine.
version: 1
name: "A quoted: name"
system: hermes        # the system
hardware:
  gpu: rtx-4090       # a preset
  # DIMMs of the paper
  ndp_dimms: {preset: hermes-ddr4-3200, count: 8}  # eight

# The model
model: relullama2-70b
workload: {kind: fixed, batch: 1, prompt_tokens: 128, output_tokens: 128}
activations: {source: statistical, coupling: 0.5}
policy:
  window_tokens: 5    # as the paper

compare:
- hermes-random
seed: 1  # of every stream
# the end
"""
