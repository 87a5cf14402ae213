"""A small window that offers files to whoever takes them: drag_source.py X Y URI…"""
import sys

import gi

gi.require_version('Gdk', '3.0')
gi.require_version('Gtk', '3.0')
from gi.repository import Gdk, Gtk  # noqa: E402


def main():
    x, y, uris = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    window = Gtk.Window(type=Gtk.WindowType.POPUP)
    box = Gtk.EventBox()
    box.add(Gtk.Label(label='drag me'))
    box.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [Gtk.TargetEntry.new('text/uri-list', 0, 0)],
                        Gdk.DragAction.COPY)
    box.connect('drag-data-get', lambda widget, context, data, info, when: data.set_uris(uris))
    box.connect('drag-end', lambda *_: Gtk.main_quit())
    window.add(box)
    window.set_default_size(100, 60)
    window.move(x, y)
    window.show_all()
    print('ready', flush=True)
    Gtk.main()


if __name__ == '__main__':
    main()
