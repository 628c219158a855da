"""Scenario files for tests of the command line."""

FAKE = """\
# The fake machine.
version: 1
name: fake machine
system: fake
hardware:
  ndp_dimms: {count: 2}
model: tiny-relu-lm
workload: {kind: fixed, batch: 1, prompt_tokens: 16, output_tokens: 6}
compare: [fake-slow]
seed: 3
"""

BAD = """\
version: 1
name: bad
system: fake
hardware:
  ndp_dimms: {cout: 2}
model: tiny-relu-lm
workload:
  batch: 0
  output_tokens: many
seed: 3
"""
