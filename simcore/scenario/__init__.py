"""What to simulate: the schema, presets, and scenario files as documents.

- `schema`, `fields`: what a scenario may say, each field with unit, range, help and source.
- `document`: a scenario file as immutable text that is edited value by value.
- `load`: from a document to a checked `schema.Scenario`; `presets` gives the components.
- `listing`: all fields of a scenario, for forms and lists.
- `tree`, `edit`, `binding`, `migrate`: reading YAML, changing text, checking values, old versions.
"""
