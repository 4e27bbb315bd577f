"""Marks the wheel as one for the machine that its program was built for."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Platform(BuildHookInterface):
    def initialize(self, version, build_data):
        # The program is linked statically, and needs no C library.
        build_data["tag"] = "py3-none-manylinux_2_17_x86_64"
        build_data["pure_python"] = False
