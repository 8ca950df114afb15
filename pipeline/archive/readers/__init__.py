"""
Readers of source files: one file per format behind one small protocol.

A reader is asked twice: `Reader.scan` tells what a file holds without decoding it, `Reader.read` gives the
pieces that touch a span of time. What it could not read it says in `Problem`s; it raises only where the
file as a whole can't be opened. For formats that name no channels a map does (`mapping`).
"""

from pipeline.archive.readers.mapping import SourceMap, SourceRule, load_map, parse_rule
from pipeline.archive.readers.protocol import UNREADABLE, Content, Problem, Reader, SourceFile
from pipeline.archive.readers.registry import READERS, open_source, peek_source

__all__ = [
    "READERS",
    "UNREADABLE",
    "Content",
    "Problem",
    "Reader",
    "SourceFile",
    "SourceMap",
    "SourceRule",
    "load_map",
    "open_source",
    "parse_rule",
    "peek_source",
]
