#!/usr/bin/env python3
"""Registers two procedures, of which one answers."""

import sys

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib  # noqa: E402


class Impasto(Gimp.PlugIn):
    def do_query_procedures(self):
        return ["plug-in-impasto-stylize", "plug-in-impasto-doctor"]

    def do_set_i18n(self, name):
        return False

    def do_create_procedure(self, name):
        procedure = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.add_enum_argument(
            "run-mode",
            "Run mode",
            None,
            Gimp.RunMode,
            Gimp.RunMode.NONINTERACTIVE,
            gi.repository.GObject.ParamFlags.READWRITE,
        )
        return procedure

    def run(self, procedure, config, data):
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


Gimp.main(Impasto.__gtype__, sys.argv)
