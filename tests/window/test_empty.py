"""Started without a source, the window says what can be done."""
import harness
from harness import text_of


class Empty(harness.WindowTest):
    def test_three_ways_to_begin(self):
        program = self.start()
        words = program.wait(lambda: ' '.join(
            (text_of(part) or '') + ' ' + (part.get_name() or '')
            for part in program.find_all('label') + program.find_all('push button')).lower(), 'words')
        harness.save_screen('empty')
        for word in ('file', 'camera', 'demonstration'):
            self.assertIn(word, words)

    def test_the_demonstration_is_one_click_away(self):
        program = self.start()
        buttons = program.wait(lambda: [button for button in program.find_all('push button')
                                        if 'emonstration' in (button.get_name() or '') + text_of(button)],
                               'a button for the demonstration')
        program.click(buttons[0])
        program.wait(lambda: program.find(name='Picture') and program.picture().frame is not None,
                     'the demonstration runs', 10)


if __name__ == '__main__':
    harness.main()
