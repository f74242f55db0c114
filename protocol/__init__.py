"""What goes over the wire, declared once.

Every message, entity and REST body is a msgspec Struct in the module of its feature (its *stem*),
next to the `fold_*` functions that say what an event does to a snapshot. Floor F0: this package
imports the standard library and msgspec only (`bot.py` alone also imports websockets).
"""
