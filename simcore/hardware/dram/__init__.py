"""DRAM channels: timing presets, sustained bandwidth by formula and by commands, energy.

- `timing`, `presets`: parameters with their sources.
- `layout`: where bursts of a pattern are.
- `analytic`: sustained share of peak by formula; `command`: by issuing every command; the two share
  nothing but the parameters.
- `verify`: holds a trace of commands against every timing constraint.
- `energy`, `figures`: energy of a pattern; figures of papers out of the timing.
"""
