"""What cannot be opened is said in one sentence; the window stays usable; nothing hangs."""
import os
import socket
import time

import harness
from harness import shared, wait_until

# The program's own time-out is 5 s; a sentence is due within 6.
DUE = 6.0


class SilentServer:
    """Takes connections and never says a word."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(('127.0.0.1', 0))
        self.socket.listen(16)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def address(self, scheme='rtsp'):
        return f'{scheme}://anna:geheim@127.0.0.1:{self.socket.getsockname()[1]}/stream'

    def wait_for_client(self):
        self.socket.settimeout(10)
        return self.socket.accept()[0]


def write(name, content):
    path = os.path.join(os.environ['HOME'], name)
    with open(path, 'wb') as file:
        file.write(content)
    return path


class Errors(harness.WindowTest):
    def expect_sentence(self, program, *words, seconds=DUE):
        sentence = program.wait(program.notice, 'a notice', seconds)
        print(sentence)
        self.assertNotIn('\n', sentence)
        self.assertTrue(sentence.rstrip().endswith('.'), sentence)
        self.assertLess(len(sentence), 400)
        for word in words:
            self.assertIn(word, sentence)
        return sentence

    def expect_usable(self, program):
        """The keyboard still moves the slider, and another source opens."""
        slider = program.get('slider', 'Confidence')

        def value():
            slider.clear_cache()
            return harness.Atspi.Value.get_current_value(slider)
        before = value()
        program.key('Up')
        wait_until(lambda: value() > before + 0.005, 'the slider answers the keyboard', 2)

    def refused(self, address, *words):
        program = self.start(address)
        self.expect_sentence(program, *words)
        self.expect_usable(program)
        self.assertLess(program.close(), 1 * harness.SLOW)

    def test_missing_file(self):
        self.refused(os.path.join(os.environ['HOME'], 'not-there.mp4'), 'not-there.mp4')

    def test_text_called_mp4(self):
        self.refused(write('text.mp4', b'This is a letter, not a film.\n' * 20), 'text.mp4')

    def test_no_such_camera(self):
        self.refused('/dev/video9', '/dev/video9')

    def test_nobody_listens(self):
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        self.refused(f'rtsp://127.0.0.1:{port}/x', '127.0.0.1')

    def refused_model(self, path):
        program = self.start('--model', path, 'demo:')
        self.expect_sentence(program, os.path.basename(path), seconds=10)
        program.wait(lambda: program.picture().frame is not None, 'the picture comes all the same', 10)
        before = program.picture().frame
        program.wait(lambda: program.picture().frame > before + 5, 'the picture goes on')
        self.expect_usable(program)

    def test_model_that_is_text(self):
        self.refused_model(write('text.onnx', b'not a model\n' * 100))

    def test_truncated_model(self):
        self.refused_model(shared('models/families/refused/truncated_60percent.onnx'))

    def test_classifier(self):
        self.refused_model(shared('models/graphs/v8-cls.onnx'))

    def silent(self, scheme):
        with SilentServer() as server:
            program = self.start(server.address(scheme))
            began = time.monotonic()
            client = server.wait_for_client()
            sentence = self.expect_sentence(program, '127.0.0.1', seconds=DUE + 1)
            self.assertLess(time.monotonic() - began, DUE * harness.SLOW)
            self.assertNotIn('geheim', sentence)
            self.assertNotIn('geheim', program.tree())
            self.expect_usable(program)
            client.close()

    def test_silent_rtsp_server(self):
        self.silent('rtsp')

    def test_silent_http_server(self):
        self.silent('http')

    def test_closing_while_a_server_is_silent(self):
        with SilentServer() as server:
            program = self.start(server.address())
            client = server.wait_for_client()
            self.assertEqual(program.notice(), '')
            self.assertLess(program.close(), 1 * harness.SLOW)
            client.close()


if __name__ == '__main__':
    harness.main()
