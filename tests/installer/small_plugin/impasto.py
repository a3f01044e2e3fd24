#!/usr/bin/env python3
"""Registers one procedure, which answers as the real one does when there is no layer."""

import sys

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib  # noqa: E402


class Impasto(Gimp.PlugIn):
    def do_query_procedures(self):
        return ["plug-in-impasto-stylize"]

    def do_set_i18n(self, name):
        return False

    def do_create_procedure(self, name):
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, self.run, None)
        procedure.set_documentation("Paints", "Paints", name)
        return procedure

    def run(self, procedure, run_mode, image, drawables, config, data):
        error = GLib.Error.new_literal(GLib.quark_from_string("impasto"), "Choose one layer.", 0)
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, error)


Gimp.main(Impasto.__gtype__, sys.argv)
