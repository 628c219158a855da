"""Published numbers against simulated ones.

`targets.load_targets` reads a file of published numbers, `table.reproduce` simulates the
configurations they belong to and compares, `page.fidelity_page` writes the outcome down. How a
number is simulated follows from its config and the last parts of its id (`rules`), never from its
whole id; which numbers were used to set constants is said in `fitted`.
"""
