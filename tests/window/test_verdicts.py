"""The demonstration's two models in the window: what is a hazard is verified, what only looks like one is rejected."""
import json
import os
import re
import subprocess

import harness

SEED = '2000012'
SAID = re.compile(r'(crack|pothole) \d\.\d+ #(\d+) (verified|rejected) at (-?\d+) (-?\d+) (-?\d+) (-?\d+)')


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(width, 0) * max(height, 0)
    return inner / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner)


class Verdicts(harness.WindowTest):
    def render(self):
        clip, truth = (os.path.join(os.environ['HOME'], name) for name in ('road.mp4', 'road.jsonl'))
        cli = os.path.join(os.path.dirname(harness.PROGRAM), 'vedette-cli')
        subprocess.run([cli, 'demo', clip, '--frames', '450', '--seed', SEED, '--truth', truth], check=True, timeout=200,
                       capture_output=True)
        with open(truth, encoding='utf-8') as lines:
            return clip, [json.loads(line) for line in lines]

    def test_hazards_are_verified_and_decoys_rejected(self):
        clip, truth = self.render()
        program = self.start('--model', 'demo', clip)
        program.wait(lambda: program.picture().frame is not None, 'a picture', 20)
        program.key('e')
        judged = {'hazard': {}, 'decoy': {}}

        def look():
            picture = program.picture()
            if picture.frame is None:
                return False
            line = truth[picture.frame]
            for _, track, verdict, *corners in SAID.findall(picture.text):
                for kind, objects in ('hazard', line['detections']), ('decoy', line['decoys']):
                    if any(overlap(list(map(int, corners)), thing['bbox']) > 0.5 for thing in objects):
                        judged[kind][track] = verdict
            return picture.frame >= 447
        program.wait(look, 'the end of the clip', 60)
        harness.save_screen('verdicts')
        hazards, decoys = list(judged['hazard'].values()), list(judged['decoy'].values())
        print(f'hazards verified {hazards.count("verified")} of {len(hazards)}, '
              f'decoys rejected {decoys.count("rejected")} of {len(decoys)}', flush=True)
        self.assertGreaterEqual(len(hazards), 5, judged)
        self.assertGreaterEqual(len(decoys), 4, judged)
        self.assertGreaterEqual(hazards.count('verified') / len(hazards), 0.8, judged)
        self.assertGreaterEqual(decoys.count('rejected') / len(decoys), 0.7, judged)

        names = [row.get_name() for row in program.find_all('list item')]
        self.assertTrue([name for name in names if '✓ verified' in name], names)
        self.assertTrue([name for name in names if '✕ rejected' in name], names)


if __name__ == '__main__':
    harness.main()
