"""`dimmscope animate`: placement and load over the tokens as a moving picture."""

from __future__ import annotations

import argparse

from simcore.cli.command import Command, Exit
from simcore.cli.console import Console
from simcore.cli.loading import add_range_argument, add_scenario_arguments, open_run


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_scenario_arguments(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        required=True,
        help="file ending in .webp, .gif, or .mp4 (needs ffmpeg)",
    )
    add_range_argument(parser)
    parser.add_argument(
        "--every", metavar="N", type=int, default=0, help="a frame for every Nth step"
    )
    parser.add_argument(
        "--fps", metavar="N", type=float, default=10, help="frames shown in a second (10)"
    )
    parser.add_argument("--theme", default="paper", help="paper (default), dark or screen")
    parser.add_argument(
        "--width", metavar="PX", type=int, default=1280, help="width in pixels (1280)"
    )
    parser.add_argument(
        "--height", metavar="PX", type=int, default=720, help="height in pixels (720)"
    )


def execute(arguments: argparse.Namespace, console: Console) -> int:
    """Simulate, draw frame by frame, pack."""
    from simcore.errors import UserError
    from simcore.export.animation import SUFFIXES, AnimationOptions, write_animation
    from simcore.export.charts import THEMES
    from simcore.export.ranges import parse_range
    from simcore.results.files import check_target

    if not arguments.out.lower().endswith(SUFFIXES):
        raise UserError(f"{arguments.out}: an animation is written to {', '.join(SUFFIXES)}")
    THEMES.get(arguments.theme)
    check_target(arguments.out, arguments.scenario)
    start, stop = parse_range(arguments.range) if arguments.range else (None, None)
    options = AnimationOptions(
        start,
        stop,
        every=arguments.every,
        frames_per_s=arguments.fps,
        width_px=arguments.width,
        height_px=arguments.height,
        theme=arguments.theme,
    )
    run = open_run(arguments, console, items=True)
    bar = console.progress("frames", "frames")

    def told(done: int, total: int) -> bool:
        if bar is not None:
            bar(done, total)
        return True

    count = write_animation(run, arguments.out, options, told)
    console.end_progress()
    console.message(f"wrote {arguments.out} ({count} frames)")
    return Exit.DONE


COMMAND = Command(
    "animate",
    "write the placement map and the load over the tokens as WebP, GIF or MP4",
    configure,
    execute,
    epilog="Without --every, steps are left out so that at most 160 frames are made.",
)
