"""Design-space exploration: one to four fields of a scenario varied, every point a row of a table.

- `spec`: what a sweep is; `parse` reads it from a file or the command line; `points` lists it.
- `resolve`: from a point to a resolved scenario and the key its result is stored under.
- `evaluate`: one scenario to its figures, what worker processes do; `figures` names them.
- `store`: results in SQLite, by content; `runner` goes through the points, on `executors`.
- `search`: points chosen by a multi-objective search instead of listed.
- `table`, `analysis`, `charts`: what came out, Pareto front, sensitivity, pictures.
"""
